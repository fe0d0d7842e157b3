/* SPDX-License-Identifier: Apache-2.0 */
/* The flags --<name>-address and --<name>-port of a server. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hf_listen_flag {
    const char *address; /* numeric IP address */
    uint16_t port;       /* 0: any */
    bool off;
    bool chosen; /* set by a flag or variable */
};

#define HF_LISTEN_PORT_WANTED "0 to 65535, or off"
