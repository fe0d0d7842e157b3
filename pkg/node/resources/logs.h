/* SPDX-License-Identifier: Apache-2.0 */
/* Can logs fill this disk: journald's, the kubelet's, Docker's, files below /var/log? Changes nothing. Blocks: a
 * job. */
#pragma once

#include <stdint.h>

#include "node/resources/kubelet_config.h"

enum {
    HF_LOGS_TEXT = 1025,
    HF_LOGS_BIGGEST = 5,
};
#define HF_LOGS_FILE_BYTES (1ull << 30) /* above, needs logrotate */

struct hf_logs_file {
    char path[256];
    uint64_t bytes;
    bool rotated; /* from HF_LOGS_FILE_BYTES on */
};

struct hf_logs {
    uint64_t disk_bytes;
    bool journal_on_disk;
    uint64_t journal_max_bytes; /* 0: journald's: a tenth of the disk, at most 4 GiB */
    bool docker_unbounded;      /* containers without a maximum */
    struct hf_kubelet_config kubelet;
    struct hf_logs_file biggest[HF_LOGS_BIGGEST]; /* largest first; `bytes` 0: none */
};

/* Unreadable: no finding. */
void hf_logs_read(const struct hf_probe_root *at, struct hf_logs *ret_logs);

/* Which logs can fill the disk, and what to do. Returns LogRotation's reason: "JournalTooLarge",
 * "ContainerLogsTooLarge", "FileTooLarge"; or NULL, "". Pure. */
const char *hf_logs_judge(const struct hf_logs *logs, char *text, size_t n);

/* As journald reads "1G512M", by 1024; 0: ignored, as "40m" and "1GB". Pure. */
uint64_t hf_logs_journal_size(const char *text);

/* Does the logrotate file `config` name or match `path`? Pure. */
bool hf_logs_is_rotated(const char *config, const char *path);
