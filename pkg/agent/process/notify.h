/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sends `state`, such as "READY=1", to systemd, if $NOTIFY_SOCKET is set. */
void hf_notify_systemd(const char *state);
