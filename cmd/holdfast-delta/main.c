/* holdfast-delta [--sync] OLD PATCH NEW: `holdfast delta apply` alone, for the smallest boards and for initramfs: it loads
 * no library that applying does not need. Exit codes are those of holdfast(1). */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "delta/delta.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "os/pages.h"

static int apply(struct hf_cli *cli, char **words, bool sync, struct hf_err *err)
{
    _cleanup_(hf_closep) int old_fd = -1, patch_fd = -1;
    struct hf_cli_sink sink = {.out = HF_CLI_OUT_INIT, .err = err};
    struct stat st;
    int r = hf_cli_in_open(cli, words[0], &old_fd, err);

    if (r == 0)
        r = hf_cli_in_open(cli, words[1], &patch_fd, err);
    if (r == 0 && (fstat(old_fd, &st) < 0 || !S_ISREG(st.st_mode)))
        r = hf_err_set(err, EINVAL, "'%s' must be a file: it is read at random", words[0]);
    if (r == 0)
        r = hf_cli_out_open(cli, words[2], st.st_mode & 0777, &sink.out, err);
    if (r == 0) {
        const struct hf_delta_apply_params params = {.old = {&old_fd, hf_cli_fd_pread, (uint64_t)st.st_size},
                                                     .patch = {&patch_fd, hf_cli_fd_read},
                                                     .out = {&sink, hf_cli_sink_write}};
        hf_pages_forget_code();
        r = hf_delta_apply(&params, NULL, err);
    }
    if (r == 0)
        r = hf_cli_out_publish(&sink.out, sync, err);
    hf_cli_out_done(&sink.out);
    return r;
}

int main(int argc, char **argv)
{
    struct hf_cli cli = {
        .out = stdout, .err = stderr, .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO, .fs = hf_fs_posix()};
    struct hf_err err = HF_ERR_INIT;
    bool sync = argc > 1 && strcmp(argv[1], "--sync") == 0;
    char text[600];
    int r;

    if (argc - sync != 4) {
        (void)fprintf(stderr, "usage: holdfast-delta [--sync] OLD PATCH NEW\n");
        return HF_EXIT_USAGE;
    }
    r = apply(&cli, argv + 1 + sync, sync, &err);
    if (r == 0)
        return HF_EXIT_OK;
    (void)fprintf(stderr, "holdfast-delta: %s\n", hf_err_text(&err, text, sizeof(text)));
    return hf_cli_exit_of(r);
}
