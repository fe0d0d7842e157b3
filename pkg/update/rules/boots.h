/* SPDX-License-Identifier: Apache-2.0 */
/* What a boot of the node says about a release that was committed a few boots ago (health.probationBoots). Pure. */
#pragma once

#include <stdbool.h>

enum hf_boot_health { HF_BOOT_UNCHECKED, HF_BOOT_HEALTHY, HF_BOOT_ILL, HF_BOOT_HEALTHS };

enum hf_boot_unit {
    HF_BOOT_UNIT_UNKNOWN, /* not asked, or no answer */
    HF_BOOT_UNIT_OFF,     /* nobody has started it, or it has been stopped */
    HF_BOOT_UNIT_RUNS,    /* or starts */
    HF_BOOT_UNIT_FAILED,  /* for good, or until systemd starts it again */
    HF_BOOT_UNITS,
};

/* What ActiveState and SubState of a unit mean. */
enum hf_boot_unit hf_boot_unit_of(const char *active_state, const char *sub_state);

struct hf_boot_facts {
    unsigned left;      /* boots in which the release is still judged */
    bool judged;        /* this boot has been: it is that of the commit, or has its verdict */
    bool watchdog_bit;  /* the hardware's watchdog caused this boot */
    bool watchdog_then; /* the bit was set in the boot that was judged last: it may be set for ever */
    enum hf_boot_health health;
    enum hf_boot_unit unit; /* if the checks failed */
};

enum hf_boot_verdict {
    HF_BOOT_NOTHING, /* to judge */
    HF_BOOT_CHECK,   /* run the health checks */
    HF_BOOT_GOOD,    /* one boot less */
    HF_BOOT_BAD,     /* go back to the version before */
    HF_BOOT_UNSURE,  /* no evidence: check again later */
    HF_BOOT_VERDICTS,
};

enum hf_boot_verdict hf_boot_judge(const struct hf_boot_facts *facts);
