/* agent/home.h - the state folder of one agent: its lock, its clock, and the small files that outlive a process.
 *
 * The process opens the state folder before it does anything else. The holder of the lock is the agent of this node.
 * All later steps (TLS included) use the clock whose lower bound this folder keeps (node/clock.h). The kernel releases the
 * lock when the process ends. Loop thread only; calls block. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "node/clock.h"
#include "sync/now.h"

enum { HF_HOME_PATH = 3840 }; /* bytes for the state folder's path; every path below the folder then fits PATH_MAX */

struct hf_home {
    const struct hf_fs_ops *fs;
    char dir[HF_HOME_PATH];
    int lock_fd; /* -1: closed */
    struct hf_clock clock;
    struct hf_clock_file kept; /* the clock file of an earlier process, as read at start */
};

/* Makes the folder (mode 0700; an existing folder keeps its mode), locks <dir>/agent.lock and writes `pid` into this
 * file. Borrows `wall`. Renames a damaged clock file to clock.damaged and logs the damage; the lower bound is then the
 * date of the build. -EWOULDBLOCK: another agent has the lock; *err names its pid. */
HF_MUST_USE int hf_home_open(struct hf_home *home, const struct hf_fs_ops *fs, const char *dir, int pid,
                             const struct hf_clock_ops *wall, struct hf_log *log, struct hf_err *err);

/* Releases the lock. */
void hf_home_close(struct hf_home *home);

/* Locks the file <dir>/<name> and writes `pid` into the file, for a person. Returns the descriptor that holds the lock.
 * `own` is for the error text: the flags that give a second agent a folder of its own. -EWOULDBLOCK: another agent has
 * the lock; *err names its pid. */
HF_MUST_USE int hf_home_lock(const struct hf_fs_ops *fs, const char *dir, const char *name, const char *own, int pid,
                             struct hf_err *err);

/* Returns the clock for all other parts of the process: node/clock.h. Its time may go back. */
const struct hf_clock_ops *hf_home_clock(struct hf_home *home);

/* Writes <dir>/<name> into path[PATH_MAX]; returns path. */
const char *hf_home_path(const struct hf_home *home, const char *name, char *path);
