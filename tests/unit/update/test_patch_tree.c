/* SPDX-License-Identifier: Apache-2.0 */
/* Kind Tree by delta: the folder in use and the delta between archives give the new folder; a changed folder is an
 * error. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "pack/deep/deep.h"
#include "pack/tar/archive.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"
#include "update/install/patch.h"
#include "update/install/tree.h"

#define BUF HF_BUF_INIT(1 << 24)

static char top[64], target[80];
static const char *roots[] = {top, NULL};

static void script(const char *text)
{
    char line[4096];
    struct hf_buf out = BUF;

    (void)snprintf(line, sizeof(line), "set -e; umask 022; cd %s; %s", top, text);
    packs_run(line, "", 0, &out);
    hf_buf_done(&out);
}

static void archive_of(const char *folder, struct hf_buf *out, char hex[HF_SHA256_HEX])
{
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;
    char path[256], piece[5000];
    ssize_t n;

    (void)snprintf(path, sizeof(path), "%s/%s", top, folder);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(hf_archive_new(hf_fs_posix(), fd, 0, NULL, &archive, NULL), 0);
    const struct hf_delta_old bytes = hf_archive_bytes(archive);
    while ((n = bytes.pread(bytes.ctx, piece, sizeof(piece), out->n)) > 0)
        ck_assert_int_eq(hf_buf_add(out, piece, (size_t)n), 0);
    (void)hf_sha256_hex(out->p, out->n, hex);
    (void)close(fd);
}

static void download(const struct hf_buf *bytes)
{
    char name[NAME_MAX + 1], path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", top, hf_target_file_name("app", HF_TARGET_PART, name));
    ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, bytes->p, bytes->n, 0600, NULL), 0);
}

static struct hf_patch_params params_of(const struct hf_buf *archive, const char *hex)
{
    return (struct hf_patch_params){
        .target = {.fs = hf_fs_posix(), .roots = roots, .path = target, .release = "app", .uid = geteuid()},
        .kind = HF_INSTALL_TREE,
        .method = HF_METHOD_FULL,
        .sha256 = hex,
        .size = archive->n,
    };
}

START_TEST(folder_by_delta)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_archive = BUF, patch = BUF, back = BUF;
    char old_hex[HF_SHA256_HEX], new_hex[HF_SHA256_HEX], hex[HF_SHA256_HEX], link[HF_TARGET_MAX_PATH],
        folder[HF_TARGET_MAX_PATH + 32];
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_failure failure = {.reason = HF_R_None};

    (void)snprintf(top, sizeof(top), "/tmp/holdfast-tree-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    (void)snprintf(target, sizeof(target), "%s/current", top);
    script("mkdir -p a/bin a/lib; seq 1 20000 >a/bin/app; chmod 755 a/bin/app; seq 5 3000 | gzip -nc >a/lib/data.gz; "
           "ln -s app a/bin/link;"
           "ln a/bin/app a/lib/hard; chmod 555 a/lib; cp -a a b; chmod 755 b/lib; (seq 1 9000; echo new; seq 9001 "
           "20000) >b/bin/app;"
           "(seq 5 1000; echo more; seq 1001 3000) | gzip -nc >b/lib/data.gz; mv b/lib b/moved; chmod 555 b/moved");
    archive_of("a", &old, old_hex);
    archive_of("b", &new_archive, new_hex);
    ck_assert_int_eq(hf_deep_create(old.p, old.n, new_archive.p, new_archive.n, NULL, &out, NULL), 0);
    ck_assert_uint_lt(patch.n, 2000);

    struct hf_patch_params params = params_of(&old, old_hex);
    download(&old);
    int r = hf_patch_run(&params, &failure);
    ck_assert_msg(r == 0, "%s", failure.err.cause);
    (void)hf_tree_link("app", old_hex, link);

    if (_i == 1) { /* changed since */
        (void)snprintf(folder, sizeof(folder), "echo >>'%s/bin/app'", link);
        script(folder);
    }
    (void)hf_sha256_hex(patch.p, patch.n, hex);
    params = params_of(&new_archive, new_hex);
    params.method = HF_METHOD_DELTA;
    params.delta_sha256 = hex;
    params.delta_size = patch.n;
    params.had_old = true;
    params.old_link = link;
    download(&patch);
    r = hf_patch_run(&params, &failure);
    if (_i == 1) {
        ck_assert_int_eq(r, -EBADMSG);
        ck_assert_int_eq(failure.reason, HF_R_DeltaDamaged);
    } else {
        ck_assert_msg(r == 0, "%s", failure.err.cause);
        archive_of(hf_tree_link("app", new_hex, link), &back, hex);
        ck_assert_str_eq(hex, new_hex);
    }
    script("chmod -R u+rwx .");
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), top, NULL), 0);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, folder_by_delta, 0, 2);
}

HF_TEST_MAIN("update/patch_tree", all)
