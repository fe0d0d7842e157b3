/* SPDX-License-Identifier: Apache-2.0 */
/* node/resources/logs.h - checks if the logs of this node can fill its disk. It checks the settings of journald, of the
 * kubelet and of Docker, and the largest files below /var/log. The agent only reports; it never changes a setting or a
 * log.
 *
 * The check reads a bounded number of files and folders, and blocks, so run it in a job. Threads: any. */
#pragma once

#include <stdint.h>

#include "node/resources/kubelet_config.h"

enum {
    HF_LOGS_TEXT = 1025,
    HF_LOGS_BIGGEST = 5,          /* number of the largest files that struct hf_logs keeps */
    HF_LOGS_MAX_ENTRIES = 8192,   /* maximum number of names that a check reads below /var/log */
    HF_LOGS_MAX_DEPTH = 6,        /* greatest depth of folders below /var/log */
    HF_LOGS_JOURNAL_PERCENT = 20, /* largest part of the disk that journald may take, in percent */
    HF_LOGS_CONTAINER_PERCENT = 5 /* largest part of the disk that the log of one container may take, in percent */
};
#define HF_LOGS_FILE_BYTES (1ull << 30) /* a file of this size or more must have an entry for logrotate */

struct hf_logs_file {
    char path[256];
    uint64_t bytes;
    bool rotated; /* an entry for logrotate names the file; valid if the file has at least HF_LOGS_FILE_BYTES */
};

struct hf_logs {
    uint64_t disk_bytes;        /* size of the file system of /var/log; 0 if unknown */
    bool journal_on_disk;       /* journald keeps its journal below /var/log */
    uint64_t journal_max_bytes; /* SystemMaxUse; 0 means journald's default: a tenth of the disk, at most 4 GiB */
    bool docker_unbounded;      /* /var/lib/docker/containers exists, and Docker's logs have no maximum size */
    struct hf_kubelet_config kubelet;
    struct hf_logs_file biggest[HF_LOGS_BIGGEST]; /* largest first; `bytes` is 0 in unused items */
};

/* Reads the facts. An unreadable file causes no finding. */
void hf_logs_read(const struct hf_probe_root *at, struct hf_logs *ret_logs);

/* Writes to text[n] which logs can fill the disk, and what to do. Returns the reason of the condition LogRotation, from
 * the first finding: "JournalTooLarge", "ContainerLogsTooLarge" or "FileTooLarge". Without a finding, returns NULL and
 * writes "". Pure. */
const char *hf_logs_judge(const struct hf_logs *logs, char *text, size_t n);

/* Parses a size such as "500M", "1.5G" or "1G512M" (with powers of 1024), as journald does for SystemMaxUse. Returns 0
 * if journald would ignore the value, such as "40m" or "1GB". Pure. */
uint64_t hf_logs_journal_size(const char *text);

/* Returns true if a line of `config`, the text of a logrotate file, names the path or has a pattern that matches the
 * path. Pure. */
bool hf_logs_is_rotated(const char *config, const char *path);
