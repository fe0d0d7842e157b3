/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/small.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/delta/patch.h"
#include "cli/plain.h"
#include "os/fd.h"
#include "os/fs_posix.h"
#include "os/pages.h"
#include "pack/deep/scratch.h"

static const char usage[] = "usage: holdfast-delta [--sync] OLD PATCH NEW\n";
static const char help[] = "\n"
                           "rebuild NEW from OLD and PATCH\n"
                           "\n"
                           "'-' is standard input for PATCH and standard output for NEW.\n"
                           "\n"
                           "      --sync       sync NEW, so that it survives a power cut\n"
                           "      --help       print this text\n"
                           "      --version    print the version of this program\n";

struct small_job {
    struct hf_cli_patch patch;
    struct hf_cli_sink sink;
    struct hf_delta_old old;
};

static int refuse(struct hf_err *err, const char *what)
{
    return hf_err_set(
        err, EOPNOTSUPP,
        "the patch %s: apply it with 'holdfast delta apply', or make it with 'holdfast delta create --plain'", what);
}

/* Refuses patches that this program cannot apply, before unpacking anything. */
static int open_old(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err)
{
    const struct small_job *job = ctx;
    char what[sizeof(info->libraries) + 32];

    if (info->parts_n > 0)
        return hf_err_set(err, EOPNOTSUPP, "the patch is for container images: apply it with 'holdfast delta apply'");
    if (info->libraries[0] != '\0') {
        (void)snprintf(what, sizeof(what), "needs %s to compress again", info->libraries);
        return refuse(err, what);
    }
    *ret_old = job->old;
    return 0;
}

static int apply_opened(struct small_job *job, const char *target, struct hf_err *err)
{
    _cleanup_(hf_freep) char *name = hf_cli_patch_scratch(target);

    if (name == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    struct hf_deep_file scratch = hf_deep_file_init(hf_fs_posix(), AT_FDCWD, name);
    const struct hf_deep_apply_params params = {
        .delta = {.patch = {&job->patch, hf_cli_patch_read}, .out = {&job->sink, hf_cli_sink_write}},
        .open_old = open_old,
        .open_old_ctx = job,
        .scratch = hf_deep_file_scratch(&scratch)};
    hf_pages_forget_code();
    int r = hf_deep_apply(&params, NULL, err);
    hf_deep_file_done(&scratch);
    return r;
}

static int apply(struct hf_cli *cli, char **words, bool sync, struct hf_err *err)
{
    _cleanup_(hf_closep) int old_fd = -1, patch_fd = -1;
    struct small_job job = {.sink = {.out = HF_CLI_OUT_INIT, .err = err}};
    struct stat st;
    int r = hf_cli_in_open(cli, words[0], &old_fd, err);

    hf_pages_return_blocks();
    if (r == 0)
        r = hf_cli_in_open(cli, words[1], &patch_fd, err);
    if (r == 0 && (fstat(old_fd, &st) < 0 || !S_ISREG(st.st_mode)))
        r = hf_err_set(err, EINVAL, "'%s' must be a file, not a pipe: applying reads it at random offsets", words[0]);
    if (r == 0)
        r = hf_cli_out_open(cli, words[2], st.st_mode & 0777, &job.sink.out, err);
    if (r == 0) {
        job.old = (struct hf_delta_old){&old_fd, hf_cli_fd_pread, (uint64_t)st.st_size};
        job.patch = (struct hf_cli_patch){.fd = patch_fd};
        r = apply_opened(&job, words[2], err);
    }
    if (r == 0)
        r = hf_cli_out_publish(&job.sink.out, sync, err);
    hf_cli_out_done(&job.sink.out);
    return r;
}

static int wrong_usage(struct hf_cli *cli, const char *what, const char *word)
{
    (void)fprintf(cli->err, "holdfast-delta: %s%s%s\n%s", what, word[0] != '\0' ? " " : "", word, usage);
    return HF_EXIT_USAGE;
}

static int print_text(struct hf_cli *cli, const char *text, const char *more)
{
    (void)fprintf(cli->out, "%s%s", text, more);
    return hf_cli_finish(cli, "", HF_EXIT_OK);
}

int hf_cli_small_main(struct hf_cli *cli, int argc, char **argv)
{
    struct hf_err err = HF_ERR_INIT;
    char text[sizeof(err.cause) + sizeof(err.where) + 4];
    bool sync = false;
    int at = 1;

    cli->program = "holdfast-delta";
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
            return print_text(cli, usage, help);
        if (strcmp(argv[at], "--version") == 0)
            return print_text(cli, "holdfast-delta " HF_VERSION "\n", "");
        if (strcmp(argv[at], "--sync") != 0)
            return wrong_usage(cli, "unknown option", argv[at]);
        sync = true;
    }
    if (argc - at != 3)
        return wrong_usage(cli, argc - at < 3 ? "expected OLD, PATCH and NEW" : "too many arguments", "");
    int r = apply(cli, argv + at, sync, &err);
    if (r < 0)
        hf_cli_print_line(cli->err, "holdfast-delta: %s", hf_err_text(&err, text, sizeof(text)));
    return hf_cli_exit_of(r);
}
