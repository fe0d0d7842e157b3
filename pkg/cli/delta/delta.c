/* SPDX-License-Identifier: Apache-2.0 */
/* delta create, for files, folders and images. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/parts.h"
#include "os/fd.h"
#include "pack/deep/deep.h"
#include "pack/image.h"
#include "pack/tar/archive.h"

#define MAX_INPUT_BYTES ((size_t)HF_MIN((uint64_t)16 << 30, (uint64_t)SIZE_MAX))

const struct hf_cli_option hf_cli_delta_create_options[] = {
    HF_CLI_OPTION("small", NULL, "make the smallest patch (default)"),
    HF_CLI_OPTION(
        "fast", NULL,
        "make a somewhat larger patch that applies faster; without --inside, look only inside fast zstd levels"),
    HF_CLI_OPTION("threads", "N", "threads (one per processor); the patch is the same", .letter = 'j'),
    HF_CLI_OPTION("plain", NULL, "do not look inside compressed files"),
    HF_CLI_OPTION("inside", NULL, "with --fast: look inside all compressed files; applying compresses them again"),
    HF_CLI_OPTION("image", NULL, "OLD and NEW are archives of container images; a node needs only OLD's layers"),
    {.name = NULL},
};

static int draw(void *ctx, uint64_t done, uint64_t total)
{
    hf_cli_progress(ctx, "delta", done, total);
    return 0;
}

static int settings(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_deep_create_params *ret_params,
                    struct hf_err *err)
{
    const char *threads_text = hf_cli_value(args, "threads", "0");
    bool fast = hf_cli_flag(args, "fast");
    uint64_t threads;

    if (fast && hf_cli_flag(args, "small"))
        return hf_err_set(err, EINVAL, "--small and --fast exclude each other");
    if (hf_cli_flag(args, "plain") && hf_cli_flag(args, "inside"))
        return hf_err_set(err, EINVAL, "--plain and --inside exclude each other");
    if (hf_parse_u64(threads_text, 0, 256, &threads) < 0)
        return hf_err_set(err, EINVAL, "--threads: '%.40s' is not a number from 0 to 256", threads_text);
    if (strcmp(args->words[0], "-") == 0 && strcmp(args->words[1], "-") == 0)
        return hf_err_set(err, EINVAL, "OLD and NEW cannot both be standard input");
    *ret_params = (struct hf_deep_create_params){.delta = {.profile = fast ? HF_DELTA_FAST : HF_DELTA_SMALL,
                                                           .threads = (unsigned)threads,
                                                           .progress = cli->terminal ? draw : NULL,
                                                           .progress_ctx = cli},
                                                 .plain = hf_cli_flag(args, "plain"),
                                                 .inside = hf_cli_flag(args, "inside")};
    return 0;
}

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

/* Prints a line such as "app.delta: 23.8 kB, 4.9 % of the new 482 kB". If the patch goes to standard output, the line
 * goes to standard error, but only if standard error is a terminal. */
static void print_summary(struct hf_cli *cli, const struct hf_cli_args *args, uint64_t patch_bytes, uint64_t new_bytes)
{
    bool piped = strcmp(args->words[2], "-") == 0;
    char text[HF_CLI_BYTES_TEXT];
    FILE *to = piped ? cli->err : cli->out;

    hf_cli_progress_end(cli);
    if (piped && !cli->terminal)
        return;
    (void)fprintf(to, "%s: %s", piped ? "patch" : args->words[2], hf_cli_bytes(patch_bytes, text));
    if (new_bytes > 0) {
        uint64_t tenths = (uint64_t)((double)patch_bytes / (double)new_bytes * 1000 + 0.5);
        (void)fprintf(to, ", %llu.%u %% of the new %s", (unsigned long long)(tenths / 10), (unsigned)(tenths % 10),
                      hf_cli_bytes(new_bytes, text));
    }
    (void)fprintf(to, "\n");
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
        print_summary(cli, args, sink.size, new_input.n);
    hf_cli_out_done(&sink.out);
    return r;
}

int hf_cli_delta_create(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct hf_deep_create_params params;
    int r = settings(cli, args, &params, err);

    if (r < 0)
        return r;
    (void)mallopt(M_MMAP_THRESHOLD, 128 << 10); /* free() returns large tables to the system at once */
    return create(cli, args, &params, err);
}
