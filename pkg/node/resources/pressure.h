/* SPDX-License-Identifier: Apache-2.0 */
/* Which file systems are in trouble, and the condition DiskPressure. Pure. */
#pragma once

#include "node/disk.h"
#include "node/resources/wear.h"

enum { HF_PRESSURE_TEXT = 1025 };

/* From harmless to grave. */
enum hf_pressure_cause {
    HF_PRESSURE_NONE,
    HF_PRESSURE_WORN,      /* flash near its end */
    HF_PRESSURE_SPACE,     /* at the warning level */
    HF_PRESSURE_INODES,    /* at the warning level, above blocks */
    HF_PRESSURE_READ_ONLY, /* and should be writable */
};

struct hf_pressure_disk {
    const char *path;
    struct hf_disk_usage usage;
    struct hf_wear wear;
    bool missing;               /* other figures are 0 */
    bool must_write;            /* by the agent */
    bool was_writable;          /* earlier in this process */
    enum hf_disk_level filling; /* last level of usage */
    /* results of hf_pressure_judge(): */
    enum hf_disk_level level;
    enum hf_pressure_cause cause;
};

/* A read-only file system that never was writable (squashfs is always full) is HF_DISK_OK, unless the agent must
 * write. */
void hf_pressure_judge(struct hf_pressure_disk *disk, unsigned warn_percent, unsigned critical_percent);

struct hf_pressure_advice {
    unsigned critical_percent;
    bool reclaim;        /* the policy permits to remove old files */
    const char *kubelet; /* hf_kubelet_config_describe(), or "" */
};

/* What is in trouble, why, and what to do. Returns "ReadOnly", "Critical", "Warning", "Worn", the gravest; or NULL and
 * "". */
const char *hf_pressure_describe(const struct hf_pressure_disk *disks, size_t n_disks,
                                 const struct hf_pressure_advice *advice, char *text, size_t n);
