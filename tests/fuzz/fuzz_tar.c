/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives: the reader ends and names no member that leads out; the headers read the same in pieces; and an extractor of any
 * archive touches nothing outside its folder. */
#include <errno.h>
#include <fcntl.h>

#include "base/macros.h"
#include "delta/delta.h"
#include "pack/tar/extract.h"
#include "pack/tar/tar_read.h"
#include "support/fakes/simfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_name(const char *name)
{
    if (name[0] == '/' || strstr(name, "//") != NULL || strncmp(name, "../", 3) == 0 || strcmp(name, "..") == 0 ||
        strstr(name, "/../") != NULL)
        abort();
}

/* Gathers and parses the headers at *at, as an extractor does, but skips global ones. 1: *ret_member; 0: end; -EBADMSG. */
static int next_in_pieces(const uint8_t *bytes, size_t n, uint64_t *at, struct hf_tar_member *ret_member)
{
    size_t have = 0, want = HF_TAR_BLOCK;

    for (;;) {
        if (*at > n || want > n - *at)
            return -EBADMSG;
        have = want;
        int r = hf_tar_head_want(bytes + *at, have, &want, NULL);
        if (r < 0 || want == 0)
            return r;
        if (want > have)
            continue;
        if (hf_tar_head_is_global(bytes + *at)) {
            *at += have;
            want = HF_TAR_BLOCK;
            continue;
        }
        r = hf_tar_head_parse(bytes + *at, have, *at, ret_member, NULL, NULL);
        *at = ret_member->offset + hf_tar_padded(ret_member->size);
        return r < 0 ? r : 1;
    }
}

static void read_all(const uint8_t *bytes, size_t n)
{
    struct hf_delta_memory input = {bytes, n};
    struct hf_tar tar = {.ctx = &input, .pread = hf_delta_memory_pread, .size = n};
    struct hf_tar_member member, again = {.size = 0};
    struct hf_err err = HF_ERR_INIT;
    uint64_t at = 0;
    int r, pieces = 1;

    while ((r = hf_tar_next(&tar, &member, &err)) > 0) {
        check_name(member.name);
        if (member.type == HF_TAR_HARDLINK)
            check_name(member.target);
        if (member.offset + member.size > n)
            abort();
        if (pieces > 0)
            pieces = next_in_pieces(bytes, n, &at, &again);
        if (pieces > 0 && (strcmp(again.name, member.name) != 0 || strcmp(again.target, member.target) != 0 ||
                           again.type != member.type || again.size != member.size || again.offset != member.offset))
            abort();
    }
    if (r < 0 && r != -EBADMSG && r != -ENOMEM)
        abort();
}

static void extract(const uint8_t *bytes, size_t n, enum hf_extract_rules rules)
{
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);
    struct hf_extract *x = NULL;
    struct stat st;
    size_t kept;

    hf_simfs_mkdir(sim, "/top/new", 0755);
    hf_simfs_put(sim, "/top/keep", "keep", 4, 0644);
    int fd = fs->openat(fs->ctx, AT_FDCWD, "/top/new", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    const struct hf_extract_params params = {.fs = fs, .dirfd = fd, .rules = rules};
    if (fd < 0 || hf_extract_new(&params, &x, NULL) < 0)
        abort();
    int r = 0;
    for (size_t at = 0; r == 0 && at < n; at += 700)
        r = hf_extract_feed(x, bytes + at, HF_MIN((size_t)700, n - at), NULL);
    if (r == 0)
        (void)!hf_extract_finish(x, NULL);
    hf_extract_free(x);
    (void)fs->close(fs->ctx, fd);
    const void *keep = hf_simfs_get(sim, "/top/keep", &kept);
    if (keep == NULL || kept != 4 || memcmp(keep, "keep", 4) != 0 || !hf_simfs_stat(sim, "/top/keep", &st) ||
        st.st_nlink != 1 || (st.st_mode & 07777) != 0644)
        abort();
    hf_simfs_free(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    read_all(bytes, n);
    extract(bytes, n, HF_EXTRACT_ANY);
    extract(bytes, n, HF_EXTRACT_CANONICAL);
    return 0;
}
