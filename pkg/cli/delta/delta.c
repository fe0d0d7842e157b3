/* SPDX-License-Identifier: Apache-2.0 */
/* delta create for folders, images and compressed files. The thin program does the plain case (delta_quick.c). */
#include "cli/delta/delta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/parse.h"
#include "cli/parts.h"
#include "os/fd.h"
#include "os/file.h"
#include "pack/deep/scratch.h"
#include "pack/image.h"
#include "pack/tar/archive.h"

#define MAX_INPUT_BYTES ((size_t)HF_MIN((uint64_t)16 << 30, (uint64_t)SIZE_MAX))

/* OLD or NEW: a mapped file, or the archive of a folder. */
struct input {
    struct hf_cli_map map;
    struct hf_buf archive;
    const void *p;
    size_t n;
};

static void input_done(struct input *input)
{
    hf_cli_map_done(&input->map);
    hf_buf_done(&input->archive);
}

/* Keep everything that the archive of a folder can keep. */
enum { KEPT = HF_ARCHIVE_OWNERS | HF_ARCHIVE_XATTRS };

static int add_bytes(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

static int read_archive(struct hf_cli *cli, int fd, struct input *input, struct hf_err *err)
{
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;
    int r = hf_archive_new(cli->fs, fd, KEPT, NULL, &archive, err);

    if (r < 0)
        return r;
    const struct hf_delta_old bytes = hf_archive_bytes(archive);
    input->archive = (struct hf_buf)HF_BUF_INIT(MAX_INPUT_BYTES);
    if (hf_buf_reserve(&input->archive, (size_t)HF_MIN(bytes.size, (uint64_t)MAX_INPUT_BYTES)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = hf_archive_write(archive, add_bytes, &input->archive, err);
    if (r < 0)
        return r;
    input->p = input->archive.p;
    input->n = input->archive.n;
    return 0;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int input_open(struct hf_cli *cli, const char *path, struct input *input, struct hf_err *err)
{
    int r;

    if (is_folder(path)) {
        _cleanup_(hf_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd >= 0 ? read_archive(cli, fd, input, err) : -errno;
        return r < 0 ? hf_err_wrap(err, r, "folder '%s'", path) : 0;
    }
    r = hf_cli_map_open(cli, path, MAX_INPUT_BYTES, &input->map, err);
    input->p = input->map.p;
    input->n = input->map.n;
    return r;
}

/* Replaces the archive of the old image by the parts that a node has of it. */
static int split_image(struct input *old, struct hf_deep_part **ret_parts, size_t *ret_n, struct hf_err *err)
{
    struct hf_buf bytes = HF_BUF_INIT(MAX_INPUT_BYTES);
    int r = hf_image_parts(old->p, old->n, ret_parts, ret_n, &bytes, err);

    if (r < 0) {
        hf_buf_done(&bytes);
        return hf_err_wrap(err, r, "OLD");
    }
    input_done(old);
    old->map = (struct hf_cli_map){.p = NULL};
    old->archive = bytes;
    old->p = bytes.p;
    old->n = bytes.n;
    return 0;
}

struct inputs {
    const struct input *old, *new_input;
};

static void rest(void *ctx)
{
    const struct inputs *inputs = ctx;

    hf_cli_map_drop_pages(&inputs->old->map);
    hf_cli_map_drop_pages(&inputs->new_input->map);
}

static int create(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_deep_create_params *params,
                  struct hf_err *err)
{
    _cleanup_(input_done) struct input old = {.p = NULL}, new_input = {.p = NULL};
    _cleanup_(hf_freep) struct hf_deep_part *parts = NULL;
    struct inputs inputs = {&old, &new_input};
    struct hf_deep_create_params more = *params;
    struct hf_cli_sink sink = {.out = HF_CLI_OUT_INIT, .err = err};
    const struct hf_delta_out out = {&sink, hf_cli_sink_write};
    int r = 0;

    if (is_folder(args->words[0]) != is_folder(args->words[1]))
        return hf_err_set(err, EINVAL, "OLD and NEW must both be files, or both folders");
    r = input_open(cli, args->words[0], &old, err);
    if (r == 0)
        r = input_open(cli, args->words[1], &new_input, err);
    if (r == 0)
        r = hf_cli_out_open(cli, args->words[2], 0644, &sink.out, err);
    if (r == 0 && hf_cli_flag(args, "image")) {
        r = split_image(&old, &parts, &more.parts_n, err);
        more.parts = parts;
    }
    more.delta.on_idle = rest;
    more.delta.on_idle_ctx = &inputs;
    if (r == 0)
        r = hf_deep_create(old.p, old.n, new_input.p, new_input.n, &more, &out, err);
    if (r == 0)
        r = hf_cli_out_publish(&sink.out, false, err);
    if (r == 0)
        hf_cli_delta_summary(cli, args, sink.size, new_input.n);
    hf_cli_out_done(&sink.out);
    return r;
}

int hf_cli_delta_create(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct hf_deep_create_params params;
    int r = hf_cli_delta_settings(cli, args, &params, err);

    if (r == 0)
        r = hf_cli_delta_quick(cli, args, &params, err);
    if (r <= 0)
        return r;
    (void)mallopt(M_MMAP_THRESHOLD, 128 << 10); /* free() returns large tables to the system at once */
    return create(cli, args, &params, err);
}
