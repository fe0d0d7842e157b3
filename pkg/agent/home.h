/* agent/home.h - the state folder of one agent: its lock, its clock, and the small files that outlive a process.
 *
 * Opened before anything else: whoever holds the lock is the agent of this node, and everything after it (TLS included) uses
 * the floored clock that is kept here. A process that dies lets go of the lock; nothing else does. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "node/clock.h"
#include "sync/now.h"

enum { HF_HOME_PATH = 3840 }; /* longest state folder, so that every path below fits PATH_MAX */

struct hf_home {
    const struct hf_fs_ops *fs;
    char dir[HF_HOME_PATH];
    int lock_fd; /* held as long as this lives */
    struct hf_clock_floor floor;
    struct hf_clock_file kept; /* as read at start: last contact of an earlier life */
};

/* Makes the folder (0700; one that is there keeps its mode) and takes <dir>/agent.lock, writing `pid` into it. -EWOULDBLOCK: another agent has it, *err names
 * its pid. `wall` is borrowed. A damaged clock file is set aside (clock.damaged), logged, and the build's date is the floor. */
HF_MUST_USE int hf_home_open(struct hf_home *home, const struct hf_fs_ops *fs, const char *dir, int pid,
                             const struct hf_clock_ops *wall, struct hf_log *log, struct hf_err *err);
void hf_home_close(struct hf_home *home); /* lets go of the lock */

/* Takes the lock file <dir>/<name> and writes `pid` into it, for a person; returns the descriptor that holds it. -EWOULDBLOCK: another
 * agent has it; *err names its pid, and `own`, the flags that a second agent needs. */
HF_MUST_USE int hf_home_lock(const struct hf_fs_ops *fs, const char *dir, const char *name, const char *own, int pid,
                             struct hf_err *err);

/* The clock for everybody: never below the newest time seen. */
const struct hf_clock_ops *hf_home_clock(struct hf_home *home);

/* <dir>/<name> into path[PATH_MAX]; returns path. */
const char *hf_home_path(const struct hf_home *home, const char *name, char *path);
