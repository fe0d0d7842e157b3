/* SPDX-License-Identifier: Apache-2.0 */
/* Checks if logs can fill this node's disk: journald, kubelet, Docker, and files below /var/log. Changes nothing.
 * Bounded, but blocks: run it in a job. */
#pragma once

#include <stdint.h>

#include "node/resources/kubelet_config.h"

enum {
    HF_LOGS_TEXT = 1025,
    HF_LOGS_BIGGEST = 5,
    HF_LOGS_MAX_ENTRIES = 8192,
    HF_LOGS_MAX_DEPTH = 6,
    HF_LOGS_JOURNAL_PERCENT = 20, /* of the disk */
    HF_LOGS_CONTAINER_PERCENT = 5 /* of the disk, for one container */
};
#define HF_LOGS_FILE_BYTES (1ull << 30) /* from here on, a file needs logrotate */

struct hf_logs_file {
    char path[256];
    uint64_t bytes;
    bool rotated; /* valid from HF_LOGS_FILE_BYTES on */
};

struct hf_logs {
    uint64_t disk_bytes; /* 0: unknown */
    bool journal_on_disk;
    uint64_t journal_max_bytes; /* 0: journald's default, a tenth of the disk, at most 4 GiB */
    bool docker_unbounded;      /* it has containers, without a maximum */
    struct hf_kubelet_config kubelet;
    struct hf_logs_file biggest[HF_LOGS_BIGGEST]; /* largest first; unused: 0 `bytes` */
};

/* Unreadable files give no finding. */
void hf_logs_read(const struct hf_probe_root *at, struct hf_logs *ret_logs);

/* Which logs can fill the disk, and what to do. Returns the reason of LogRotation: "JournalTooLarge",
 * "ContainerLogsTooLarge", "FileTooLarge"; or NULL and "". Pure. */
const char *hf_logs_judge(const struct hf_logs *logs, char *text, size_t n);

/* As journald reads "1G512M", in powers of 1024; 0: it ignores it, such as "40m" or "1GB". Pure. */
uint64_t hf_logs_journal_size(const char *text);

/* The logrotate file `config` names or matches `path`. Pure. */
bool hf_logs_is_rotated(const char *config, const char *path);
