/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flags/listen.h"

#include <string.h>

#include "base/parse.h"

int hf_listen_flag_port(struct hf_listen_flag *listen, const char *text)
{
    uint64_t port = 0;

    listen->off = strcmp(text, "off") == 0;
    int r = listen->off ? 0 : hf_parse_u64(text, 0, UINT16_MAX, &port);
    listen->port = (uint16_t)port;
    listen->chosen = true;
    return r;
}
