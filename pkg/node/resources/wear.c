/* SPDX-License-Identifier: Apache-2.0 */
#include "node/resources/wear.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "node/storage.h"

enum { END_OF_LIFE_URGENT = 3, LIFE_MAX = 11 };

int hf_wear_percent(const char *life_time)
{
    unsigned a = 0, b = 0;

    if (sscanf(life_time, "%x %x", &a, &b) < 1) /* NOLINT(cert-err34-c): a value out of range is unknown, below */
        return -1;
    a = a <= LIFE_MAX ? a : 0; /* 0: not defined; above 0x0b: reserved */
    b = b <= LIFE_MAX ? b : 0;
    unsigned worse = HF_MAX(a, b);
    return worse == 0 ? -1 : (int)HF_MIN(worse * 10, 100U);
}

bool hf_wear_read(const struct hf_probe_root *at, unsigned major, unsigned minor, struct hf_wear *ret_wear)
{
    char disk[64], path[128], text[32];

    *ret_wear = (struct hf_wear){.percent = -1};
    if (!hf_storage_disk(at, major, minor, disk, sizeof(disk)))
        return false;
    (void)snprintf(path, sizeof(path), "/sys/class/block/%s/device/life_time", disk);
    if (hf_probe_text(at, path, text, sizeof(text)))
        ret_wear->percent = hf_wear_percent(text);
    (void)snprintf(path, sizeof(path), "/sys/class/block/%s/device/pre_eol_info", disk);
    if (hf_probe_text(at, path, text, sizeof(text)))
        ret_wear->urgent = strtoul(text, NULL, 16) == END_OF_LIFE_URGENT;
    return ret_wear->percent >= 0 || ret_wear->urgent;
}
