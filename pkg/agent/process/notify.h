/* SPDX-License-Identifier: Apache-2.0 */
/* Tells systemd how the process is. */
#pragma once

/* "READY=1", to $NOTIFY_SOCKET, if there is one. */
void hf_notify_systemd(const char *state);
