/* SPDX-License-Identifier: Apache-2.0 */
/* Image archives: what counts as a part, and old put together from a store or from the archive. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding/hex.h"
#include "base/parse.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "pack/image.h"
#include "pack/tar/tar_head.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"

#define BUF HF_BUF_INIT(1 << 24)
#define NAME64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void add_file(struct hf_buf *tar, const char *name, const void *bytes, size_t n)
{
    static const char zeros[HF_TAR_BLOCK];
    const struct tar_head head = {.type = '0', .name = name, .target = "", .mode = 0644, .size = n};

    ck_assert_int_eq(tar_head_format(&head, tar), 0);
    ck_assert_int_eq(hf_buf_add(tar, bytes, n), 0);
    ck_assert_int_eq(hf_buf_add(tar, zeros, hf_tar_padded(n) - n), 0);
}

static void make_archive(int kind, unsigned change, struct hf_buf *tar)
{
    static const char config[] = "{\"architecture\":\"amd64\",\"rootfs\":{}}", manifest[] = "{\"layers\":[]}",
                      end[1024];
    _cleanup_(hf_buf_done) struct hf_buf text = BUF, one = BUF, two = BUF;

    packs_text(&text, 30000, 4, change);
    packs_run("gzip -nc5", text.p, text.n, &one);
    packs_text(&two, 20000, 5, 0);
    if (kind == 0) {
        add_file(tar, "blobs/sha256/" NAME64, config, sizeof(config) - 1);
        add_file(tar, "blobs/sha256/1" NAME64, manifest, sizeof(manifest) - 1);
        add_file(tar, "blobs/sha256/2" NAME64, one.p, one.n);
        add_file(tar, "blobs/sha256/3" NAME64, two.p, two.n);
        add_file(tar, "index.json", manifest, sizeof(manifest) - 1);
    } else {
        add_file(tar, NAME64 ".json", config, sizeof(config) - 1);
        add_file(tar, "a/layer.tar", two.p, two.n);
        add_file(tar, "b/layer.tar", one.p, one.n);
        add_file(tar, "c/layer.tar", one.p, one.n); /* the same once more */
        add_file(tar, "a/json", config, sizeof(config) - 1);
        add_file(tar, "manifest.json", manifest, sizeof(manifest) - 1);
    }
    ck_assert_int_eq(hf_buf_add(tar, end, sizeof(end)), 0);
}

struct at_hand {
    const struct hf_delta_old *archive; /* or */
    int dirfd;
    struct hf_image *image;
};

static int open_old(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err)
{
    struct at_hand *at_hand = ctx;
    int r = at_hand->archive != NULL ? hf_image_open_archive(at_hand->archive, info, &at_hand->image, err)
                                     : hf_image_open_store(hf_fs_posix(), at_hand->dirfd, info, &at_hand->image, err);

    if (r == 0)
        *ret_old = hf_image_bytes(at_hand->image);
    return r;
}

static int apply(const struct hf_buf *patch, struct at_hand *at_hand, struct hf_buf *made, struct hf_err *err)
{
    struct delta_io bytes = delta_io_of(patch);
    const struct hf_deep_apply_params params = {.delta = {.patch = delta_io_in(&bytes), .out = delta_io_out(made)},
                                                .open_old = open_old,
                                                .open_old_ctx = at_hand};

    hf_buf_clear(made);
    int r = hf_deep_apply(&params, NULL, err);
    hf_image_free(at_hand->image);
    at_hand->image = NULL;
    return r;
}

static void write_store(const char *top, const struct hf_deep_part *parts, size_t n, const struct hf_buf *bytes)
{
    char path[256], hex[HF_SHA256_HEX];
    size_t at = 0;

    (void)snprintf(path, sizeof(path), "%s/blobs/sha256", top);
    ck_assert_int_eq(hf_dir_make(hf_fs_posix(), path, 0755, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        (void)hf_hex_encode(parts[i].sha256, HF_SHA256_BYTES, hex);
        (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", top, hex);
        ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, bytes->p + at, parts[i].size, 0644, NULL), 0);
        at += parts[i].size;
    }
}

START_TEST(from_archive_and_store)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, bytes = BUF, patch = BUF, made = BUF;
    char top[] = "/tmp/holdfast-image-XXXXXX", path[256], hex[HF_SHA256_HEX];
    struct hf_deep_create_params params = {.parts_n = 0};
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_deep_part *parts = NULL;
    struct hf_err err = HF_ERR_INIT;

    make_archive(_i, 0, &old);
    make_archive(_i, 500, &new_file);
    ck_assert_int_eq(hf_image_parts(old.p, old.n, &parts, &params.parts_n, &bytes, &err), 0);
    ck_assert_uint_eq(params.parts_n, 3);
    params.parts = parts;
    ck_assert_int_eq(hf_deep_create(bytes.p, bytes.n, new_file.p, new_file.n, &params, &out, &err), 0);
    ck_assert_uint_lt(patch.n, 2600);

    struct delta_io archive_bytes = delta_io_of(&old);
    const struct hf_delta_old archive = delta_io_old(&archive_bytes);
    struct at_hand at_hand = {.archive = &archive, .dirfd = -1};
    ck_assert_msg(apply(&patch, &at_hand, &made, &err) == 0, "%s", err.cause);
    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);

    ck_assert_ptr_nonnull(mkdtemp(top));
    write_store(top, parts, params.parts_n, &bytes);
    at_hand = (struct at_hand){.dirfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    ck_assert_msg(apply(&patch, &at_hand, &made, &err) == 0, "%s", err.cause);
    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);

    /* One of them damaged, then cut, then gone. */
    (void)hf_hex_encode(parts[1].sha256, HF_SHA256_BYTES, hex);
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", top, hex);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "?", 1, 99), 1);
    ck_assert_int_eq(apply(&patch, &at_hand, &made, &err), -ESTALE);
    ck_assert_int_eq(ftruncate(fd, 5), 0);
    ck_assert_int_eq(apply(&patch, &at_hand, &made, &err), -ENOENT);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(apply(&patch, &at_hand, &made, &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.cause, hex));
    ck_assert_uint_eq(made.n, 0);
    (void)close(fd);
    (void)close(at_hand.dirfd);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), top, NULL), 0);
    free(parts);
}
END_TEST

START_TEST(not_an_image)
{
    _cleanup_(hf_buf_done) struct hf_buf text = BUF, bytes = BUF, cut = BUF;
    struct hf_deep_part *parts = NULL;
    struct hf_err err = HF_ERR_INIT;
    size_t n;

    packs_text(&text, 5000, 1, 0);
    ck_assert_int_eq(hf_image_parts(text.p, text.n, &parts, &n, &bytes, &err), -EBADMSG);
    ck_assert_int_eq(hf_image_parts("", 0, &parts, &n, &bytes, &err), -EBADMSG);
    make_archive(0, 0, &cut);
    ck_assert_int_eq(hf_image_parts(cut.p, 6000, &parts, &n, &bytes, &err), -EBADMSG);
    ck_assert_ptr_null(parts);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, from_archive_and_store, 0, 2);
    tcase_add_test(tc, not_an_image);
}

HF_TEST_MAIN("pack/image", all)
