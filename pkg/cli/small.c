/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/small.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/delta/patch.h"
#include "cli/plain.h"
#include "os/fd.h"
#include "os/fs_posix.h"
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

static bool has_text_relocations(const struct dl_phdr_info *info)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *dyn = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr); // NOLINT
        for (; dyn->d_tag != DT_NULL; dyn++)
            if (dyn->d_tag == DT_TEXTREL || (dyn->d_tag == DT_FLAGS && (dyn->d_un.d_val & DF_TEXTREL) != 0))
                return true;
    }
    return false;
}

/* The first object in the list is the program; other processes share the libraries. */
static int forget(struct dl_phdr_info *info, HF_UNUSED size_t size, HF_UNUSED void *arg)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < info->dlpi_phnum && !has_text_relocations(info); i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
            continue;
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + page - 1) & ~(page - 1);
        (void)madvise((void *)start, end - start, MADV_DONTNEED); // NOLINT
    }
    return 1;
}

/* Releases all pages of the running program's code and constants, so that code that ran only at start no longer counts
 * as this process's memory. When the program needs a page again, the kernel maps 64 KiB around the address from the
 * page cache. No data is lost, because the program does not write to these pages. Does nothing if the program wrote to
 * such pages (text relocations), or if the system refuses. */
static void forget_code(void)
{
    (void)dl_iterate_phdr(forget, NULL);
}

/* Makes malloc return each block of 128 KiB or more to the system as soon as the program frees the block, and lets
 * realloc() grow such blocks without copying. By default, glibc keeps free blocks up to the size of the largest block
 * that was freed so far, and keeps the gaps between blocks. */
static void return_blocks(void)
{
#ifdef M_MMAP_THRESHOLD
    enum { BLOCK = 128 << 10 }; /* glibc's initial threshold; setting it stops glibc from moving it */
    (void)mallopt(M_MMAP_THRESHOLD, BLOCK);
#endif
}

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
    forget_code();
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

    return_blocks();
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
        hf_cli_print_line(cli->err, "holdfast-delta: %s", HF_ERR_TEXT(&err));
    return hf_cli_exit_of(r);
}
