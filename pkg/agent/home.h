/* agent/home.h - the state folder of one agent: its lock, its clock, and the small files that outlive a process.
 *
 * The process opens it before anything else: the holder of the lock is the agent of this node, and everything after it
 * (TLS included) uses the floored clock in this folder. The kernel releases the lock when the process ends. Loop thread
 * only; calls block. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "node/clock.h"
#include "sync/now.h"

enum { HF_HOME_PATH = 3840 }; /* longest state folder, so that every path below fits PATH_MAX */

struct hf_home {
    const struct hf_fs_ops *fs;
    char dir[HF_HOME_PATH];
    int lock_fd; /* -1: closed */
    struct hf_clock_floor floor;
    struct hf_clock_file kept; /* the clock file of an earlier process, as read at start */
};

/* Makes the folder (0700; an existing one keeps its mode), takes <dir>/agent.lock and writes `pid` into it. Borrows
 * `wall`. Renames a damaged clock file to clock.damaged and logs it; the floor is then the build's date. -EWOULDBLOCK:
 * another agent has the lock; *err names its pid. */
HF_MUST_USE int hf_home_open(struct hf_home *home, const struct hf_fs_ops *fs, const char *dir, int pid,
                             const struct hf_clock_ops *wall, struct hf_log *log, struct hf_err *err);

/* Releases the lock. */
void hf_home_close(struct hf_home *home);

/* Takes the lock file <dir>/<name> and writes `pid` into it, for a person. Returns the descriptor that holds the lock.
 * `own`: the flags that give a second agent a folder of its own, for the error text. -EWOULDBLOCK: another agent has
 * the lock; *err names its pid. */
HF_MUST_USE int hf_home_lock(const struct hf_fs_ops *fs, const char *dir, const char *name, const char *own, int pid,
                             struct hf_err *err);

/* Returns the clock for all other parts: it never goes below the newest time seen. */
const struct hf_clock_ops *hf_home_clock(struct hf_home *home);

/* Writes <dir>/<name> into path[PATH_MAX]; returns path. */
const char *hf_home_path(const struct hf_home *home, const char *name, char *path);
