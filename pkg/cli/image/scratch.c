/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/fd.h"

int hf_cli_scratch_open(struct hf_cli_scratch *scratch, struct hf_err *err)
{
    const char *folder = getenv("TMPDIR");

    folder = folder != NULL && folder[0] != '\0' ? folder : "/tmp";
    scratch->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    scratch->size = 0;
    scratch->err = err;
    if (scratch->fd < 0)
        return hf_err_sys(err, -errno, "scratch file in '%s' ($TMPDIR)", folder);
    return 0;
}

void hf_cli_scratch_done(struct hf_cli_scratch *scratch)
{
    hf_closep(&scratch->fd);
}

int hf_cli_scratch_write(void *ctx, const void *bytes, size_t n)
{
    struct hf_cli_scratch *scratch = ctx;

    for (const char *p = bytes; n > 0;) {
        ssize_t wrote = pwrite(scratch->fd, p, n, (off_t)scratch->size);
        if (wrote <= 0)
            return hf_err_sys(scratch->err, wrote < 0 ? -errno : -EIO, "write to the scratch file in $TMPDIR");
        p += wrote;
        n -= (size_t)wrote;
        scratch->size += (uint64_t)wrote;
    }
    return 0;
}

int hf_cli_scratch_map(const struct hf_cli_scratch *scratch, struct hf_cli_map *ret, struct hf_err *err)
{
    struct hf_cli_map map = {.p = "", .n = (size_t)scratch->size};

    if (scratch->size > SIZE_MAX)
        return hf_err_set(err, E2BIG, "the file is too large for this processor");
    if (map.n > 0) {
        map.mapped = mmap(NULL, map.n, PROT_READ, MAP_SHARED, scratch->fd, 0);
        if (map.mapped == MAP_FAILED)
            return hf_err_sys(err, -errno, "map the scratch file");
        map.p = map.mapped;
    }
    *ret = map;
    return 0;
}
