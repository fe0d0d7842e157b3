/* SPDX-License-Identifier: Apache-2.0 */
/* Flags --<name>-address and --<name>-port of a server. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hf_listen_flag {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any */
    bool off;            /* --<name>-port off */
    bool chosen;         /* by flag or variable */
};

/* For hf_flag_port(). */
#define HF_LISTEN_PORT_WANTED "0 to 65535, or off"
