/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's command line.
 *
 * A command is a row of the table (cli/commands.c) and a function, which blocks. The function returns 0; or -errno with
 * *err, which the caller prints; or, after printing the reason itself, a positive enum hf_cli_exit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* Scripts rely on these numbers; holdfast(1) lists them. */
enum hf_cli_exit {
    HF_EXIT_OK = 0,
    HF_EXIT_FAILED = 1,    /* a retry may help, as after freeing a full disk */
    HF_EXIT_USAGE = 2,     /* mostly, nothing changed */
    HF_EXIT_REFUSED = 3,   /* such as a wrong signature or hash: a retry does not help */
    HF_EXIT_UNWELL = 4,    /* a person must look */
    HF_EXIT_SILENT = 5,    /* no agent renews the status */
    HF_EXIT_TIMED_OUT = 6, /* the goal was not reached in time */
};

enum { HF_CLI_MAX_OPTIONS = 64 };

/* A NULL name ends an array of options. */
struct hf_cli_option {
    const char *name;
    const char *value; /* "FILE" in help; NULL: the option is a flag */
    const char *help;
    char letter;
    bool repeats;
    bool required;
    /* The flag that this option sets; its name is the only value: "-o json" sets --json. */
    const char *means;
};

#define HF_CLI_OPTION(its_name, its_value, its_help, ...)                                                              \
    {                                                                                                                  \
        .name = (its_name), .value = (its_value), .help = (its_help), __VA_ARGS__                                      \
    }

#define HF_CLI_JSON(text)                                                                                              \
    HF_CLI_OPTION("json", NULL, text),                                                                                 \
        HF_CLI_OPTION("output", "json", "the same as --json", .letter = 'o', .means = "json")

struct hf_cli_args {
    const struct hf_cli_option *options[HF_CLI_MAX_OPTIONS];
    const char *values[HF_CLI_MAX_OPTIONS];
    size_t n_options;
    const char *const *words;
    size_t n_words;
};

bool hf_cli_flag(const struct hf_cli_args *args, const char *name);
const char *hf_cli_value(const struct hf_cli_args *args, const char *name, const char *fallback);
const char *hf_cli_nth_value(const struct hf_cli_args *args, const char *name, size_t i);

struct hf_cli {
    const char *program; /* "kubectl holdfast", for messages */
    FILE *out, *err;
    int in_fd, out_fd; /* used for the file name "-" */
    bool terminal;     /* `err` is a terminal: draw progress */
    bool out_terminal; /* `out` is a terminal: make texts of others plain */
    bool colour;
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_cli_command *commands;
    size_t n_commands;
    uint64_t drawn_mono_ns;
    bool drawing;
    struct {
        uint64_t since_mono_ns, from;
        uint64_t done, total;
    } pace;
};

enum { HF_CLI_MAX_WORDS = 512 };

struct hf_cli_command {
    const char *name;
    const char *args; /* "OLD NEW PATCH", in help */
    const char *summary;
    const char *details;
    const struct hf_cli_option *options;
    size_t min_words, max_words;
    int (*run)(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
};

extern const struct hf_cli_command hf_cli_commands[];
extern const size_t hf_cli_n_commands;

int hf_cli_main(struct hf_cli *cli, int argc, char **argv);

/* Returns the exit code. The caller handles --help. */
int hf_cli_run(struct hf_cli *cli, const struct hf_cli_command *command, const char *const *argv, size_t n);

/* Prints "holdfast delta create: <error>". Returns r's exit code. */
int hf_cli_complain(struct hf_cli *cli, const char *command, int r, const struct hf_err *err);

/* -EIO: output was lost, as on a full disk. */
HF_MUST_USE int hf_cli_flush(struct hf_cli *cli, struct hf_err *err);

/* Flushes. Returns `code`; if the flush fails, prints why and returns HF_EXIT_FAILED. */
int hf_cli_finish(struct hf_cli *cli, const char *command, int code);

const char *hf_cli_program(int argc, char **argv);

/* Returns HF_EXIT_OK for 0, HF_EXIT_REFUSED for -EKEYREJECTED, -EBADMSG, -ESTALE and -EOPNOTSUPP, HF_EXIT_USAGE for
 * -EINVAL, else HF_EXIT_FAILED. */
int hf_cli_exit_of(int r);

/* ---- files; "-" is standard input or output ---- */

/* An output file gets its name when complete. A file that it replaces stays unchanged until then, and passes on its
 * mode and, if possible, its owner. */
struct hf_cli_out {
    int fd;
    char *path; /* NULL: standard output, a device or a pipe */
    char *temp;
    bool replaces;
};
#define HF_CLI_OUT_INIT                                                                                                \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }
/* `mode` is for a new file. */
HF_MUST_USE int hf_cli_out_open(struct hf_cli *cli, const char *path, mode_t mode, struct hf_cli_out *ret_out,
                                struct hf_err *err);
HF_MUST_USE int hf_cli_out_write(struct hf_cli_out *out, const void *bytes, size_t n, struct hf_err *err);
/* Give the file its name; commit() syncs it before. Without a sync, a power cut may lose a new file, and leaves a
 * replaced one complete, old or new. done() removes a file that has no name yet. */
HF_MUST_USE int hf_cli_out_commit(struct hf_cli_out *out, struct hf_err *err);
HF_MUST_USE int hf_cli_out_publish(struct hf_cli_out *out, bool sync, struct hf_err *err);
void hf_cli_out_done(struct hf_cli_out *out);

struct hf_cli_sink {
    struct hf_cli_out out;
    uint64_t size;
    struct hf_err *err;
};
int hf_cli_sink_write(void *sink, const void *bytes, size_t n);

/* A mapped file, or all bytes of a pipe. -E2BIG: above max_bytes. */
struct hf_cli_map {
    const void *p; /* not NULL while open */
    size_t n;
    void *mapped;
    void *heap;
};
HF_MUST_USE int hf_cli_map_open(struct hf_cli *cli, const char *path, size_t max_bytes, struct hf_cli_map *ret_map,
                                struct hf_err *err);
/* Appends a whole file, pipe or device to `out`. -E2BIG: above out->max. */
HF_MUST_USE int hf_cli_read_whole(struct hf_cli *cli, const char *path, struct hf_buf *out, struct hf_err *err);
/* Frees a mapping's pages; later reads go to the file again. */
void hf_cli_map_drop_pages(const struct hf_cli_map *map);
void hf_cli_map_done(struct hf_cli_map *map);

/* The caller closes *ret_fd, which is a duplicate for "-". */
HF_MUST_USE int hf_cli_in_open(struct hf_cli *cli, const char *path, int *ret_fd, struct hf_err *err);
/* Callbacks; `fd` points to an int. They return the bytes read, 0 at the end, or -errno, never -EINTR. */
ssize_t hf_cli_fd_read(void *fd, void *bytes, size_t n);
ssize_t hf_cli_fd_pread(void *fd, void *bytes, size_t n, uint64_t offset);

/* Draws "label 42 %, 3 min left" on a terminal, ten times a second at most; without `total` only the label. Estimates
 * after two seconds, and anew when `total` changes or `done` shrinks. */
void hf_cli_progress(struct hf_cli *cli, const char *label, uint64_t done, uint64_t total);
void hf_cli_progress_end(struct hf_cli *cli);

#define HF_CLI_BYTES_TEXT 24
/* Writes "23.8 kB". */
const char *hf_cli_bytes(uint64_t bytes, char text[HF_CLI_BYTES_TEXT]);

#define HF_CLI_COMMAND(function)                                                                                       \
    extern const struct hf_cli_option function##_options[];                                                            \
    int function(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)

HF_CLI_COMMAND(hf_cli_delta_create);
HF_CLI_COMMAND(hf_cli_delta_apply);
HF_CLI_COMMAND(hf_cli_delta_info);
HF_CLI_COMMAND(hf_cli_image_delta);
HF_CLI_COMMAND(hf_cli_image_stats);
HF_CLI_COMMAND(hf_cli_key_generate);
HF_CLI_COMMAND(hf_cli_key_public);
HF_CLI_COMMAND(hf_cli_release_create);
HF_CLI_COMMAND(hf_cli_release_sign);
HF_CLI_COMMAND(hf_cli_release_verify);
HF_CLI_COMMAND(hf_cli_release_push);
HF_CLI_COMMAND(hf_cli_policy_sign);
HF_CLI_COMMAND(hf_cli_policy_explain);
HF_CLI_COMMAND(hf_cli_manifest_digest);
HF_CLI_COMMAND(hf_cli_manifest_render);
HF_CLI_COMMAND(hf_cli_manifest_sign);
HF_CLI_COMMAND(hf_cli_lint);
HF_CLI_COMMAND(hf_cli_hold);
HF_CLI_COMMAND(hf_cli_status);
HF_CLI_COMMAND(hf_cli_node_status);
HF_CLI_COMMAND(hf_cli_node_journal);
HF_CLI_COMMAND(hf_cli_node_page);
HF_CLI_COMMAND(hf_cli_node_enrol);
HF_CLI_COMMAND(hf_cli_node_host);
HF_CLI_COMMAND(hf_cli_nodes);
HF_CLI_COMMAND(hf_cli_node);
HF_CLI_COMMAND(hf_cli_ui);
HF_CLI_COMMAND(hf_cli_top);
HF_CLI_COMMAND(hf_cli_rollout_watch);
HF_CLI_COMMAND(hf_cli_rollout_pause);
HF_CLI_COMMAND(hf_cli_rollout_resume);
HF_CLI_COMMAND(hf_cli_rollout_halt);
HF_CLI_COMMAND(hf_cli_turn_free);
HF_CLI_COMMAND(hf_cli_wait);
HF_CLI_COMMAND(hf_cli_rollback);
HF_CLI_COMMAND(hf_cli_recover);
HF_CLI_COMMAND(hf_cli_spool_stat);
HF_CLI_COMMAND(hf_cli_spool_cat);
HF_CLI_COMMAND(hf_cli_spool_verify);
HF_CLI_COMMAND(hf_cli_spool_send);
HF_CLI_COMMAND(hf_cli_doctor);
HF_CLI_COMMAND(hf_cli_support);
HF_CLI_COMMAND(hf_cli_help);
HF_CLI_COMMAND(hf_cli_version);
HF_CLI_COMMAND(hf_cli_completion);

#define HF_CLI_DEFAULT_STATE_DIR "/var/lib/holdfast"
#define HF_CLI_DEFAULT_RUN_DIR "/run/holdfast"
#define HF_CLI_DEFAULT_TRUST_DIR "/etc/holdfast/trust.d"
