/* SPDX-License-Identifier: Apache-2.0 */
/* delta create: its options, and the plain case. A file of its own, because the thin program (cli/front.h) links
 * only this. */
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "cli/delta/delta.h"

const struct hf_cli_option hf_cli_delta_create_options[] = {
    {.name = "small", .help = "make the smallest patch (default)"},
    {.name = "fast",
     .help = "make a somewhat larger patch that applies faster; without --inside, look only inside fast zstd levels"},
    {.name = "threads", .value = "N", .letter = 'j', .help = "threads (one per processor); the patch is the same"},
    {.name = "plain", .help = "do not look inside compressed files"},
    {.name = "inside", .help = "with --fast: look inside all compressed files; applying compresses them again"},
    {.name = "image", .help = "OLD and NEW are archives of container images; a node needs only OLD's layers"},
    {.name = NULL},
};

static int draw(void *ctx, uint64_t done, uint64_t total)
{
    hf_cli_progress(ctx, "delta", done, total);
    return 0;
}

int hf_cli_delta_settings(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_deep_create_params *ret_params,
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

void hf_cli_delta_summary(struct hf_cli *cli, const struct hf_cli_args *args, uint64_t patch_bytes, uint64_t new_bytes)
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

static bool is_file(const char *path)
{
    struct stat st;

    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct maps {
    const struct hf_cli_map *old, *new_map;
};

static void drop_pages(void *ctx)
{
    const struct maps *maps = ctx;

    hf_cli_map_drop_pages(maps->old);
    hf_cli_map_drop_pages(maps->new_map);
}

int hf_cli_delta_quick(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_deep_create_params *params,
                       struct hf_err *err)
{
    _cleanup_(hf_cli_map_done) struct hf_cli_map old = {.p = NULL}, new_map = {.p = NULL};
    struct hf_cli_sink sink = {.out = HF_CLI_OUT_INIT, .err = err};
    const struct hf_delta_out out = {&sink, hf_cli_sink_write};
    bool fast = params->delta.profile == HF_DELTA_FAST && !params->inside;
    struct maps maps = {&old, &new_map};
    struct hf_delta_create_params delta = params->delta;
    int r;

    if (hf_cli_flag(args, "image") || !is_file(args->words[0]) || !is_file(args->words[1]))
        return 1;
    if ((r = hf_cli_map_open(cli, args->words[0], SIZE_MAX, &old, err)) < 0 ||
        (r = hf_cli_map_open(cli, args->words[1], SIZE_MAX, &new_map, err)) < 0)
        return r;
    if (old.n >= HF_DELTA_CREATE_MAX_BYTES || new_map.n >= HF_DELTA_CREATE_MAX_BYTES ||
        (!params->plain && (fast ? hf_deep_may_hold_zstd : hf_deep_may_hold_packed)(new_map.p, new_map.n)))
        return 1;
    if (!fast)
        (void)mallopt(M_MMAP_THRESHOLD, 128 << 10); /* free() returns large tables to the system at once */
    delta.on_idle = drop_pages;
    delta.on_idle_ctx = &maps;
    r = hf_cli_out_open(cli, args->words[2], 0644, &sink.out, err);
    if (r == 0)
        r = hf_delta_create(old.p, old.n, new_map.p, new_map.n, &delta, &out, err);
    if (r == 0)
        r = hf_cli_out_publish(&sink.out, false, err);
    if (r == 0)
        hf_cli_delta_summary(cli, args, sink.size, new_map.n);
    hf_cli_out_done(&sink.out);
    return r;
}
