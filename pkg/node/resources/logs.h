/* SPDX-License-Identifier: Apache-2.0 */
/* Finds whether logs can fill this disk: journald's, the kubelet's, Docker's, and files below /var/log. Blocks: call it
 * in a job. */
#pragma once

#include <stdint.h>

#include "node/resources/kubelet_config.h"

enum {
    HF_LOGS_TEXT = 1025,
    HF_LOGS_BIGGEST = 5,
};
#define HF_LOGS_FILE_BYTES (1ull << 30) /* larger log files need logrotate */

struct hf_logs_file {
    char path[256];
    uint64_t bytes;
    bool rotated;
};

struct hf_logs {
    uint64_t disk_bytes;
    bool journal_on_disk;
    uint64_t journal_max_bytes; /* 0: journald's default */
    bool docker_unbounded;
    struct hf_kubelet_config kubelet;
    struct hf_logs_file biggest[HF_LOGS_BIGGEST]; /* largest first; `bytes` 0: none */
};

void hf_logs_read(const struct hf_probe_root *at, struct hf_logs *ret_logs);

/* Writes which logs can fill the disk, and what to do. Returns the reason of the condition LogRotation, or NULL and "".
 * Pure. */
const char *hf_logs_judge(const struct hf_logs *logs, char *text, size_t n);

/* Reads a size such as "1G512M" as journald does. 0: journald would ignore it, such as "40m" and "1GB". Pure. */
uint64_t hf_logs_journal_size(const char *text);

/* Whether the text of a logrotate file names or matches `path`. Pure. */
bool hf_logs_is_rotated(const char *config, const char *path);
