/* SPDX-License-Identifier: Apache-2.0 */
#include "node/disk.h"

#include "base/macros.h"

const char *hf_disk_level_name(enum hf_disk_level level)
{
    static const char *const names[] = {"Ok", "Warning", "Critical"};

    return names[level];
}

static unsigned percent(uint64_t total, uint64_t nfree, uint64_t available)
{
    uint64_t used = total > nfree ? total - nfree : 0;
    uint64_t usable = used + available;

    /* Halve numbers so large that a hundredfold would overflow; the lost bits do not show in a percentage. */
    while (used > UINT64_MAX / 128) {
        used /= 2;
        usable /= 2;
    }
    return usable == 0 ? 0 : (unsigned)(used * 100 / usable + (used * 100 % usable != 0));
}

void hf_disk_usage_of(const struct statvfs *fs, struct hf_disk_usage *ret_usage)
{
    *ret_usage = (struct hf_disk_usage){.used_percent = percent(fs->f_blocks, fs->f_bfree, fs->f_bavail),
                                        .inodes_percent = percent(fs->f_files, fs->f_ffree, fs->f_favail),
                                        .read_only = (fs->f_flag & ST_RDONLY) != 0};
}

unsigned hf_disk_used_percent(const struct statvfs *fs)
{
    struct hf_disk_usage usage;

    hf_disk_usage_of(fs, &usage);
    return HF_MAX(usage.used_percent, usage.inodes_percent);
}

enum hf_disk_level hf_disk_judge(unsigned used_percent, unsigned warn_percent, unsigned critical_percent,
                                 enum hf_disk_level before)
{
    unsigned slack_critical = before >= HF_DISK_CRITICAL ? HF_DISK_HYSTERESIS_PERCENT : 0;
    unsigned slack_warn = before >= HF_DISK_WARNING ? HF_DISK_HYSTERESIS_PERCENT : 0;

    if (used_percent + slack_critical >= critical_percent)
        return HF_DISK_CRITICAL;
    return used_percent + slack_warn >= warn_percent ? HF_DISK_WARNING : HF_DISK_OK;
}
