/* SPDX-License-Identifier: Apache-2.0 */
#include "node/resources/pressure.h"

#include "base/macros.h"
#include "node/resources/words.h"

enum { HF_WEAR_REPLACE_PERCENT = 90 };

void hf_pressure_judge(struct hf_pressure_disk *disk, unsigned warn_percent, unsigned critical_percent)
{
    const struct hf_disk_usage *usage = &disk->usage;
    bool remounted = usage->read_only && (disk->was_writable || disk->must_write);

    disk->was_writable = disk->was_writable || (!usage->read_only && !disk->missing);
    disk->cause = HF_PRESSURE_NONE;
    disk->level = HF_DISK_OK;
    if (disk->missing || (usage->read_only && !remounted)) {
        disk->filling = HF_DISK_OK;
        return;
    }
    disk->filling = hf_disk_judge(HF_MAX(usage->used_percent, usage->inodes_percent), warn_percent, critical_percent,
                                  disk->filling);
    disk->level = disk->filling;
    if (disk->filling != HF_DISK_OK)
        disk->cause = usage->inodes_percent > usage->used_percent ? HF_PRESSURE_INODES : HF_PRESSURE_SPACE;
    if (remounted) {
        disk->level = HF_DISK_CRITICAL;
        disk->cause = HF_PRESSURE_READ_ONLY;
    } else if (disk->level == HF_DISK_OK && (disk->wear.percent >= HF_WEAR_REPLACE_PERCENT || disk->wear.urgent)) {
        disk->level = HF_DISK_WARNING;
        disk->cause = HF_PRESSURE_WORN;
    }
}

#define ADD(...) (at = hf_words_add(text, n, at, __VA_ARGS__))

static size_t add_disk(const struct hf_pressure_disk *disk, char *text, size_t n, size_t at)
{
    ADD("%s%s: ", at > 0 ? "; " : "", disk->path);
    switch (disk->cause) {
    case HF_PRESSURE_SPACE:
        ADD("%u %% of the space is used", disk->usage.used_percent);
        break;
    case HF_PRESSURE_INODES:
        ADD("%u %% of the inodes are used (%u %% of the space)", disk->usage.inodes_percent, disk->usage.used_percent);
        break;
    case HF_PRESSURE_READ_ONLY:
        ADD("the file system is read-only");
        break;
    case HF_PRESSURE_WORN:
        if (disk->wear.percent >= 0)
            ADD("its flash has used %d %% of its life%s", disk->wear.percent,
                disk->wear.urgent ? " and nearly all its reserve" : "");
        else
            ADD("its flash has used nearly all its reserve");
        break;
    case HF_PRESSURE_NONE:
        break;
    }
    return at;
}

static size_t add_advice(enum hf_disk_level filling, const struct hf_pressure_advice *advice, char *text, size_t n,
                         size_t at)
{
    if (filling == HF_DISK_CRITICAL)
        ADD(". New releases that need this space wait. Free space or inodes%s",
            advice->reclaim ? "; the agent has removed what it could of its own files" : "");
    else
        ADD(". Free space or inodes before the use reaches %u %%", advice->critical_percent);
    if (advice->kubelet[0] != '\0')
        ADD(". %s", advice->kubelet);
    return at;
}

const char *hf_pressure_describe(const struct hf_pressure_disk *disks, size_t n_disks,
                                 const struct hf_pressure_advice *advice, char *text, size_t n)
{
    enum hf_disk_level filling = HF_DISK_OK;
    bool read_only = false, worn = false;
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n_disks; i++) {
        if (disks[i].level == HF_DISK_OK)
            continue;
        at = add_disk(&disks[i], text, n, at);
        if (disks[i].cause == HF_PRESSURE_SPACE || disks[i].cause == HF_PRESSURE_INODES)
            filling = HF_MAX(filling, disks[i].level);
        read_only = read_only || disks[i].cause == HF_PRESSURE_READ_ONLY;
        worn = worn || disks[i].cause == HF_PRESSURE_WORN;
    }
    if (filling != HF_DISK_OK)
        at = add_advice(filling, advice, text, n, at);
    if (read_only)
        ADD(". See the kernel's log, repair the file system or replace the disk, and mount it again");
    if (worn)
        ADD(". Replace the medium soon");
    if (read_only)
        return "ReadOnly";
    if (filling != HF_DISK_OK)
        return hf_disk_level_name(filling);
    return worn ? "Worn" : NULL;
}
