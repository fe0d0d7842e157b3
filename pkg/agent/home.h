/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder with its lock and clock. Only the holder of the lock acts as this node's agent. All code, even TLS,
 * uses this clock, whose lower bound is kept here (node/clock.h). Blocks. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "node/clock.h"
#include "node/resources/write_log.h"
#include "sync/hold_age.h"
#include "sync/now.h"

enum { HF_HOME_PATH = 3840 };

struct hf_home {
    const struct hf_fs_ops *fs;
    char dir[HF_HOME_PATH];
    int lock_fd; /* or -1 */
    struct hf_clock clock;
    char boot[HF_CLOCK_FILE_BOOT];
    struct hf_clock_file kept; /* the clock file, or clock.unread, as read at the start */
    struct hf_hold_age hold;
};

/* Makes the folder (0700), locks <dir>/agent.lock, writes `pid` there. Renames a damaged clock file to clock.damaged,
 * an unreadable one to clock.unread; without a clock file, the lower bound of the time is the build's date. Borrows
 * `wall`. -EINVAL: `dir` is not absolute, or too long. -EWOULDBLOCK: another agent has the lock; *err may have its
 * pid. */
HF_MUST_USE int hf_home_open(struct hf_home *home, const struct hf_fs_ops *fs, const char *dir, int pid,
                             const struct hf_clock_ops *wall, struct hf_log *log, struct hf_err *err);

void hf_home_close(struct hf_home *home);

/* Whether the lock file is still the one that this process locked. */
bool hf_home_is_locked(const struct hf_home *home);

/* Locks <dir>/<name>, and returns the descriptor. -EWOULDBLOCK: another agent has the lock; *err may have its pid, and
 * recommends the flags `own`. */
HF_MUST_USE int hf_home_lock(const struct hf_fs_ops *fs, const char *dir, const char *name, const char *own, int pid,
                             struct hf_err *err);

/* Whether the clock file is from this boot, or another. Both false: unknown. */
bool hf_home_is_same_boot(const struct hf_home *home);
bool hf_home_is_other_boot(const struct hf_home *home);

/* Its Unix time may go back (node/clock.h). */
const struct hf_clock_ops *hf_home_clock(struct hf_home *home);

struct hf_write_log_now hf_home_log_now(struct hf_home *home);

const char *hf_home_path(const struct hf_home *home, const char *name, char *path);
