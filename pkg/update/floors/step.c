/* SPDX-License-Identifier: Apache-2.0 */
#include "update/floors/step.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "tpm/chip.h"

/* The program's exit code tells errors of the TPM apart by their numbers, so an error of the disk must have another. */
static int cannot_lock(int r, const char *path, struct hf_err *err)
{
    return hf_err_set(err, EIO, "lock '%s': %s", path, strerror(-r));
}

int hf_floor_step_lock(const struct hf_fs_ops *fs, const char *state_dir, struct hf_err *err)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/floor-record.lock", state_dir) >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", state_dir);
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600, HF_FS_ANY);
    if (fd < 0)
        return cannot_lock(fd, path, err);
    int r = fs->flock(fs->ctx, fd, LOCK_EX);
    if (r == 0)
        return fd;
    (void)fs->close(fs->ctx, fd);
    return cannot_lock(r, path, err);
}

int hf_floor_step(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir, uint64_t to, uint64_t *ret_value,
                  struct hf_err *err)
{
    struct hf_tpm_chip *chip = NULL;
    int lock = hf_floor_step_lock(fs, state_dir, err);

    if (lock < 0)
        return lock;
    int r = hf_tpm_chip_open(tcti, &chip, err);
    if (r == 0)
        r = hf_tpm_chip_counter_step(chip, to, ret_value, err);
    hf_tpm_chip_close(chip);
    (void)fs->close(fs->ctx, lock);
    return r;
}
