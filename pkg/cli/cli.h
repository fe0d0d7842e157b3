/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cli.h - the operator's command line: one table of commands, one parser of options, one way to report errors.
 *
 * A command is a row of the table (cli/commands.c) and a function. Help, completion and suggestions come from the row,
 * and a test compares the manual page with the row. Commands block. A command that needs the cluster runs an event loop
 * until each answer is there (cli/fleet/cluster.h); other commands have no event loop.
 *
 * A command's function returns 0 on success. On failure, it returns -errno and sets *err; the caller prints *err and
 * turns -errno into an exit code. If the function has already printed the reason of the failure, it returns a positive
 * enum hf_cli_exit.
 *
 * This header also declares the functions of run.c, which runs a command, and of io.c, which opens and writes files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

/* The exit codes. Scripts rely on these numbers; holdfast(1) lists them. */
enum hf_cli_exit {
    HF_EXIT_OK = 0,
    HF_EXIT_FAILED = 1,  /* a failure such as a full disk or a network error; a retry after a repair helps */
    HF_EXIT_USAGE = 2,   /* wrong command line; the command changed nothing */
    HF_EXIT_REFUSED = 3, /* wrong signature or hash, damaged or invalid content; a retry will not help */
    /* `status`, `node`, `wait`, `rollout watch`: the node or the rollout needs a person's attention */
    HF_EXIT_UNWELL = 4,
    /* `status`, `node`: the status is old, because no agent runs or the agent does not renew the status */
    HF_EXIT_SILENT = 5,
    HF_EXIT_TIMED_OUT = 6, /* `wait`, `rollout watch`: the goal was not reached within --timeout */
};

enum { HF_CLI_MAX_OPTIONS = 64 }; /* maximum number of options on one command line, including repetitions */

/* One option. An array of options ends with a NULL name. */
struct hf_cli_option {
    const char *name;  /* name without dashes, such as "json" */
    const char *value; /* name of the value in help, such as "FILE"; NULL for a flag */
    const char *help;  /* one line for `help`, in lower case, without full stop */
    char letter;       /* short form, such as 'j' for -j; 0 if the option has no letter */
    bool repeats;      /* true if the option may occur more than once */
    bool required;
    /* The name of a flag for which the option stands. The option accepts only this name as its value, and then sets the
     * flag: "-o json" sets --json. NULL means an ordinary option. */
    const char *means;
};

/* The last two options of a command with JSON output, which are --json and, as in kubectl, -o json. */
#define HF_CLI_JSON(text)                                                                                              \
    {.name = "json", .help = (text)},                                                                                  \
    {                                                                                                                  \
        .name = "output", .value = "json", .letter = 'o', .means = "json", .help = "the same as --json"                \
    }

/* A parsed command line. Borrows from argv. */
struct hf_cli_args {
    const struct hf_cli_option *options[HF_CLI_MAX_OPTIONS];
    const char *values[HF_CLI_MAX_OPTIONS];
    size_t n_options;
    const char *const *words; /* arguments that are not options, in order; ends with NULL */
    size_t n_words;
};

bool hf_cli_flag(const struct hf_cli_args *args, const char *name);
/* Returns the value of the last occurrence of the option, or `fallback` if the option does not occur. */
const char *hf_cli_value(const struct hf_cli_args *args, const char *name, const char *fallback);
/* Returns the value of occurrence i (from 0) of the option, or NULL if there is no such occurrence. */
const char *hf_cli_nth_value(const struct hf_cli_args *args, const char *name, size_t i);

/* The process in which a command runs: its streams, file system, clock and table. Tests fill in their own struct. */
struct hf_cli {
    const char *program; /* the program's name for messages: "holdfast", "kubectl holdfast" or "holdfast-delta" */
    FILE *out, *err;
    int in_fd, out_fd; /* descriptors of standard input and output, for the file name "-" */
    bool terminal;     /* true if `err` is a terminal, so that commands draw progress there */
    bool out_terminal; /* true if `out` is a terminal, which must not act on texts of others */
    bool colour;       /* true if `out` may have colors: `out` is a terminal, and the user did not set NO_COLOR */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_cli_command *commands; /* the program's table of commands, which hf_cli_main() sets */
    size_t n_commands;
    /* This callback is set in the thin program (cli/front.h), and NULL in the whole program. It replaces this process
     * by the whole program, which then applies the patch. `word` is the argument that names the patch. `head` holds the
     * first n bytes of patch_fd, which the thin program has already read. The callback returns only on failure. */
    int (*hand_over)(const struct hf_cli *cli, const char *word, int patch_fd, const void *head, size_t n,
                     struct hf_err *err);
    const char *self; /* path of the thin program (NULL means unknown) */
    char **argv;      /* arguments of the thin program */
    /* The fields from here on describe the progress on the terminal. */
    uint64_t drawn_mono_ns; /* monotonic time of the last drawing */
    bool drawing;           /* true while a progress line is on the terminal */
    struct {
        /* at the start of the measurement: the monotonic time, and the position (`done` of hf_cli_progress()) */
        uint64_t since_mono_ns, from;
        /* position and total at the last call of hf_cli_progress(); `total` is 0 before the first measurement */
        uint64_t done, total;
    } pace;
};

enum { HF_CLI_MAX_WORDS = 512 };

struct hf_cli_command {
    const char *name;    /* one or two words, such as "delta create" */
    const char *args;    /* arguments for `help`, such as "OLD NEW PATCH" */
    const char *summary; /* one line for `help` */
    const char *details; /* paragraphs for `help`; NULL if none */
    const struct hf_cli_option *options;
    size_t min_words, max_words; /* minimum and maximum number of arguments */
    int (*run)(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
};

extern const struct hf_cli_command hf_cli_commands[];
extern const size_t hf_cli_n_commands;

/* Does all of main()'s work. Returns the exit code. */
int hf_cli_main(struct hf_cli *cli, int argc, char **argv);

/* Parses the arguments after a command's name, runs the command and reports its error (cli/run.c). The caller handles
 * --help. Returns the exit code. */
int hf_cli_run(struct hf_cli *cli, const struct hf_cli_command *command, const char *const *argv, size_t n);

/* Prints a line such as "holdfast delta create: <error>". Returns the exit code for the errno r. `command` may be
 * "". */
int hf_cli_complain(struct hf_cli *cli, const char *command, int r, const struct hf_err *err);

/* Flushes standard output. -EIO: not all of the output was written, for example because the disk of a redirected output
 * is full; *err has the reason. */
HF_MUST_USE int hf_cli_flush(struct hf_cli *cli, struct hf_err *err);

/* Flushes standard output and reports an error. Returns `code`, or HF_EXIT_FAILED after an error. */
int hf_cli_finish(struct hf_cli *cli, const char *command, int code);

/* Returns the program's name for messages: "kubectl holdfast" if argv[0] is the path of kubectl-holdfast, otherwise
 * "holdfast". */
const char *hf_cli_program(int argc, char **argv);

/* Returns the exit code for an error: HF_EXIT_REFUSED for -EKEYREJECTED, -EBADMSG, -ESTALE and -EOPNOTSUPP,
 * HF_EXIT_USAGE for -EINVAL, and HF_EXIT_FAILED for all others. */
int hf_cli_exit_of(int r);

/* ---- files (cli/io.c); "-" is standard input or output ----------------------------------------------------------- */

/* An output file that gets its name only when the content is complete. If the command fails or dies before the content
 * is complete, an existing file of that name stays unchanged. */
struct hf_cli_out {
    int fd;        /* descriptor to write to, directly or with hf_cli_out_write() */
    char *path;    /* name of the file; NULL for standard output, a device or a pipe */
    char *temp;    /* name of the unfinished file; NULL if that file has no name yet */
    bool replaces; /* true if a file already exists at `path` */
};
#define HF_CLI_OUT_INIT                                                                                                \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }
/* A new file gets `mode`. A file that replaces another one gets the mode and, if possible, the owner of that file. */
HF_MUST_USE int hf_cli_out_open(struct hf_cli *cli, const char *path, mode_t mode, struct hf_cli_out *ret_out,
                                struct hf_err *err);
HF_MUST_USE int hf_cli_out_write(struct hf_cli_out *out, const void *bytes, size_t n, struct hf_err *err);
/* Syncs the output file and gives the file its name. Does nothing for standard output, a device or a pipe. */
HF_MUST_USE int hf_cli_out_commit(struct hf_cli_out *out, struct hf_err *err);
/* Like hf_cli_out_commit(), but may skip the sync. If `sync` is false, a power cut may lose the new file. If the new
 * file replaces an old file, either the new or the old file survives the power cut completely. */
HF_MUST_USE int hf_cli_out_publish(struct hf_cli_out *out, bool sync, struct hf_err *err);
/* Closes the output, and removes the unfinished file if the output was neither committed nor published. */
void hf_cli_out_done(struct hf_cli_out *out);

/* An output that is written through a callback: pass hf_cli_sink_write() with this struct as `sink`. */
struct hf_cli_sink {
    struct hf_cli_out out;
    uint64_t size; /* bytes written so far */
    struct hf_err *err;
};
int hf_cli_sink_write(void *sink, const void *bytes, size_t n);

/* A complete input in memory. hf_cli_map_open() maps a regular file, and reads a pipe to the end. -E2BIG: the input has
 * more than max_bytes. */
struct hf_cli_map {
    const void *p; /* not NULL after hf_cli_map_open() */
    size_t n;
    void *mapped;
    void *heap;
};
HF_MUST_USE int hf_cli_map_open(struct hf_cli *cli, const char *path, size_t max_bytes, struct hf_cli_map *ret_map,
                                struct hf_err *err);
/* Drops the mapped pages from memory. The system reads a page again when the program accesses it. */
void hf_cli_map_drop_pages(const struct hf_cli_map *map);
void hf_cli_map_done(struct hf_cli_map *map);

/* Opens an input that the caller reads in order. The caller closes *ret_fd. If `path` is "-", *ret_fd is a duplicate of
 * standard input, so closing it is safe. */
HF_MUST_USE int hf_cli_in_open(struct hf_cli *cli, const char *path, int *ret_fd, struct hf_err *err);
/* Callbacks that read from a descriptor; `fd` points to the int that holds the descriptor. They return the number of
 * bytes read (0 at the end) or -errno, but never -EINTR. */
ssize_t hf_cli_fd_read(void *fd, void *bytes, size_t n);
ssize_t hf_cli_fd_pread(void *fd, void *bytes, size_t n, uint64_t offset);

/* Draws "label  42 %, 3 min left", at most ten times a second, and only on a terminal. After the first two seconds,
 * estimates the remaining time from the speed so far. The estimate starts again if, since the last drawing, `total` has
 * changed or `done` has shrunk. If `total` is 0, draws only the label. hf_cli_progress_end() clears the line. */
void hf_cli_progress(struct hf_cli *cli, const char *label, uint64_t done, uint64_t total);
void hf_cli_progress_end(struct hf_cli *cli);

#define HF_CLI_BYTES_TEXT 24
/* Formats a size with decimal units, such as "23.8 kB". Returns `text`. */
const char *hf_cli_bytes(uint64_t bytes, char text[HF_CLI_BYTES_TEXT]);

/* ---- the commands ---- */
#define HF_CLI_COMMAND(function)                                                                                       \
    extern const struct hf_cli_option function##_options[];                                                            \
    int function(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)

HF_CLI_COMMAND(hf_cli_delta_create); /* defined in cli/delta/delta.c */
HF_CLI_COMMAND(hf_cli_delta_apply);  /* defined in cli/delta/delta_apply.c */
HF_CLI_COMMAND(hf_cli_delta_info);   /* defined in cli/delta/delta_info.c */
HF_CLI_COMMAND(hf_cli_key_generate); /* defined in cli/release/key.c */
HF_CLI_COMMAND(hf_cli_key_public);
HF_CLI_COMMAND(hf_cli_release_create); /* defined in cli/release/release_create.c */
HF_CLI_COMMAND(hf_cli_release_sign);   /* defined in cli/release/release_check.c */
HF_CLI_COMMAND(hf_cli_release_verify);
HF_CLI_COMMAND(hf_cli_policy_sign);     /* defined in cli/release/policy.c */
HF_CLI_COMMAND(hf_cli_policy_explain);  /* defined in cli/policy/policy_explain.c */
HF_CLI_COMMAND(hf_cli_manifest_digest); /* defined in cli/manifest/digest.c */
HF_CLI_COMMAND(hf_cli_manifest_render); /* defined in cli/manifest/render.c */
HF_CLI_COMMAND(hf_cli_manifest_sign);   /* defined in cli/manifest/manifest_sign.c */
HF_CLI_COMMAND(hf_cli_lint);            /* defined in cli/release/lint.c */
HF_CLI_COMMAND(hf_cli_hold);            /* defined in cli/node/hold.c */
HF_CLI_COMMAND(hf_cli_status);          /* defined in cli/node/status.c */
HF_CLI_COMMAND(hf_cli_node_status);
HF_CLI_COMMAND(hf_cli_node_journal); /* defined in cli/node/journal.c */
HF_CLI_COMMAND(hf_cli_nodes);        /* defined in cli/fleet/fleet_nodes.c */
HF_CLI_COMMAND(hf_cli_node);
HF_CLI_COMMAND(hf_cli_rollout_watch); /* defined in cli/fleet/fleet_rollout.c */
HF_CLI_COMMAND(hf_cli_rollout_pause);
HF_CLI_COMMAND(hf_cli_rollout_resume);
HF_CLI_COMMAND(hf_cli_rollout_halt);
HF_CLI_COMMAND(hf_cli_turn_free);
HF_CLI_COMMAND(hf_cli_wait);       /* defined in cli/fleet/fleet_wait.c */
HF_CLI_COMMAND(hf_cli_rollback);   /* defined in cli/fleet/rollback.c */
HF_CLI_COMMAND(hf_cli_spool_stat); /* defined in cli/node/spool.c */
HF_CLI_COMMAND(hf_cli_spool_cat);
HF_CLI_COMMAND(hf_cli_spool_verify);
HF_CLI_COMMAND(hf_cli_doctor);  /* defined in cli/doctor/doctor.c */
HF_CLI_COMMAND(hf_cli_support); /* defined in cli/support/support.c */
HF_CLI_COMMAND(hf_cli_help);    /* defined in cli/help.c */
HF_CLI_COMMAND(hf_cli_version);
HF_CLI_COMMAND(hf_cli_completion); /* defined in cli/completion.c */

#define HF_CLI_DEFAULT_STATE_DIR "/var/lib/holdfast"
#define HF_CLI_DEFAULT_RUN_DIR "/run/holdfast"
#define HF_CLI_DEFAULT_TRUST_DIR "/etc/holdfast/trust.d"
