/* SPDX-License-Identifier: Apache-2.0 */
/* A boot's verdict on a release committed a few boots ago (health.probationBoots). */
#pragma once

#include <stdbool.h>

enum hf_boot_health { HF_BOOT_UNCHECKED, HF_BOOT_HEALTHY, HF_BOOT_ILL, HF_BOOT_HEALTHS };

enum hf_boot_unit {
    HF_BOOT_UNIT_UNKNOWN, /* or no answer */
    HF_BOOT_UNIT_OFF,     /* not started, or stopped */
    HF_BOOT_UNIT_RUNS,    /* or starts */
    HF_BOOT_UNIT_FAILED,  /* for good, or until systemd restarts it */
    HF_BOOT_UNITS,
};

enum hf_boot_unit hf_boot_unit_of(const char *active_state, const char *sub_state);

struct hf_boot_facts {
    unsigned left;      /* boots that judge the release */
    bool judged;        /* this boot has: the commit's, or with a verdict */
    bool watchdog_bit;  /* the hardware's caused this boot */
    bool watchdog_then; /* set in the boot judged last: may be set for ever */
    enum hf_boot_health health;
    enum hf_boot_unit unit; /* if the checks failed */
};

enum hf_boot_verdict {
    HF_BOOT_NOTHING,
    HF_BOOT_CHECK,
    HF_BOOT_GOOD,   /* one boot less */
    HF_BOOT_BAD,    /* go back */
    HF_BOOT_UNSURE, /* check again later */
    HF_BOOT_VERDICTS,
};

enum hf_boot_verdict hf_boot_judge(const struct hf_boot_facts *facts);
