/* SPDX-License-Identifier: Apache-2.0 */
/* agent/home.h - opens the state folder of one agent, with the lock and the clock of the agent.
 *
 * The process opens the state folder before it does anything else. Only the process that holds the lock may act as the
 * agent of this node; the kernel releases the lock when the process ends. All other code of the process, including TLS,
 * uses the clock whose lower bound this folder keeps (node/clock.h). Threads: loop thread only; the functions block. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "node/clock.h"
#include "node/resources/write_log.h"
#include "sync/hold_age.h"
#include "sync/now.h"

/* Size in bytes of the state folder's path, with the terminator. With this limit, every path below the folder is
 * shorter than PATH_MAX. */
enum { HF_HOME_PATH = 3840 };

struct hf_home {
    const struct hf_fs_ops *fs;
    char dir[HF_HOME_PATH];
    int lock_fd; /* descriptor that holds the lock; -1 if the state folder is not open */
    struct hf_clock clock;
    char boot[HF_CLOCK_FILE_BOOT]; /* id of the boot that runs now; "" if unknown */
    struct hf_clock_file kept;     /* content of the clock file at the start of this process */
    struct hf_hold_age hold;       /* age of the site's hold, which the clock file keeps */
};

/* Makes the state folder if it is missing (mode 0700; an existing folder keeps its mode), locks <dir>/agent.lock and
 * writes `pid` into this file. Borrows `wall`. If the clock file is damaged, renames it to clock.damaged and logs the
 * damage; the lower bound of the time is then the date of the build. If the file cannot be read, the same bound holds,
 * and the file becomes clock.unread: a later call that can read it again takes the newest signed time from it. -EINVAL:
 * `dir` is not an absolute path, or is too long. -EWOULDBLOCK: another agent has the lock; *err names the pid of that
 * agent. */
HF_MUST_USE int hf_home_open(struct hf_home *home, const struct hf_fs_ops *fs, const char *dir, int pid,
                             const struct hf_clock_ops *wall, struct hf_log *log, struct hf_err *err);

/* Releases the lock on the state folder. */
void hf_home_close(struct hf_home *home);

/* Locks the file <dir>/<name> and writes `pid` into the file, for a person to read. Returns the descriptor that holds
 * the lock. -EWOULDBLOCK: another agent has the lock; *err names the pid of that agent, and recommends the flags that
 * the text `own` names. With these flags, a second agent on this machine gets a folder of its own. */
HF_MUST_USE int hf_home_lock(const struct hf_fs_ops *fs, const char *dir, const char *name, const char *own, int pid,
                             struct hf_err *err);

/* Return true if the clock file that this process has read is known to be from this boot, or from another one. Both
 * return false if nobody knows. */
bool hf_home_is_same_boot(const struct hf_home *home);
bool hf_home_is_other_boot(const struct hf_home *home);

/* Returns the clock for all other parts of the process (node/clock.h). The time of this clock may go back. */
const struct hf_clock_ops *hf_home_clock(struct hf_home *home);

/* Reads the clocks for a log of the bytes of a day. `boot` points into *home. */
struct hf_write_log_now hf_home_log_now(struct hf_home *home);

/* Writes the path <dir>/<name> into path[PATH_MAX], and returns `path`. */
const char *hf_home_path(const struct hf_home *home, const char *name, char *path);
