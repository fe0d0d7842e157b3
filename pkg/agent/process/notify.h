/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* "READY=1" to systemd, if $NOTIFY_SOCKET is there. */
void hf_notify_systemd(const char *state);
