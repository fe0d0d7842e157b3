/* SPDX-License-Identifier: Apache-2.0 */
/* Judges, after a boot of the node, a release that was committed a few boots ago (health.probationBoots). */
#pragma once

#include <stdbool.h>

enum hf_boot_health { HF_BOOT_UNCHECKED, HF_BOOT_HEALTHY, HF_BOOT_ILL, HF_BOOT_HEALTHS };

enum hf_boot_unit {
    HF_BOOT_UNIT_UNKNOWN,
    HF_BOOT_UNIT_OFF,
    HF_BOOT_UNIT_RUNS,
    HF_BOOT_UNIT_FAILED, /* failed, for good or until systemd restarts it */
    HF_BOOT_UNITS,
};

enum hf_boot_unit hf_boot_unit_of(const char *active_state, const char *sub_state);

struct hf_boot_facts {
    unsigned left;      /* boots that still judge the release */
    bool judged;        /* this boot has its verdict, or is that of the commit */
    bool watchdog_bit;  /* bootstatus says that the hardware watchdog caused this boot */
    bool watchdog_then; /* watchdog_bit in the boot judged last: the bit may be set for ever */
    enum hf_boot_health health;
    enum hf_boot_unit unit; /* if the checks failed */
};

enum hf_boot_verdict {
    HF_BOOT_NOTHING,
    HF_BOOT_CHECK,
    HF_BOOT_GOOD,
    HF_BOOT_BAD,
    HF_BOOT_UNSURE,
    HF_BOOT_VERDICTS,
};

enum hf_boot_verdict hf_boot_judge(const struct hf_boot_facts *facts);
