/* SPDX-License-Identifier: Apache-2.0 */
/* base/flags/listen.h - the values of the flags --<name>-address and --<name>-port of a local server. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

/* Address and port of one of the local servers. */
struct hf_listen_flag {
    const char *address; /* numeric IP address */
    uint16_t port;       /* port number (0 means any free port) */
    bool off;            /* true if the listener is turned off by --<name>-port off */
    bool chosen;         /* true if a flag or an environment variable sets the port */
};

/* Form of a port, for the column `expected` of struct hf_flag. */
#define HF_LISTEN_PORT_WANTED "0 to 65535, or off"

/* Stores the value of --<name>-port. -EINVAL: the text is neither a number nor "off". -ERANGE: the number is above
 * 65535. */
HF_MUST_USE int hf_listen_flag_port(struct hf_listen_flag *listen, const char *text);
