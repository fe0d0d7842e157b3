/* cli/cli.h - the operator's command line: one table of commands, one parser of options, one way to report errors.
 *
 * A command is a row of the table (cli/commands.c) and a function. Help, completion and suggestions come from the
 * row, and a test compares the manual page with it. Commands block; they do not run on a loop.
 *
 * A command's function returns 0; or -errno with *err, which the caller prints once and turns into an exit code; or
 * a positive enum hf_cli_exit if it has printed everything itself.
 *
 * Declares run.c (from arguments to the exit code) and io.c (files), too. */
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

/* Scripts rely on these; holdfast(1) lists them. */
enum hf_cli_exit {
    HF_EXIT_OK = 0,
    HF_EXIT_FAILED = 1,  /* a file, the network, a full disk: retry after fixing it */
    HF_EXIT_USAGE = 2,   /* wrong command line; the command did nothing */
    HF_EXIT_REFUSED = 3, /* signature, hash, damaged or invalid content: a retry will not help */
    HF_EXIT_UNWELL = 4,  /* `status`: the node needs a person's attention */
    HF_EXIT_SILENT = 5,  /* `status`: the status is old: no agent runs, or it does not renew its status */
};

enum { HF_CLI_MAX_OPTIONS = 64 }; /* limit of options on one command line, repetitions included */

/* One option. An array of options ends with a NULL name. */
struct hf_cli_option {
    const char *name;  /* "json", without dashes */
    const char *value; /* name of the value in help ("FILE"); NULL: a flag */
    const char *help;  /* one line, lower case, no full stop */
    char letter;       /* 'j' for -j; 0: none */
    bool repeats;      /* may occur more than once */
    bool required;
    const char *means; /* the only value that the option accepts; giving it sets the flag of this name */
};

/* The last options of a command with JSON output: --json, and -o json as in kubectl. */
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
/* Returns the value of the option's last occurrence, or `fallback`. */
const char *hf_cli_value(const struct hf_cli_args *args, const char *name, const char *fallback);
/* Returns the value of the option's i-th occurrence, or NULL. */
const char *hf_cli_nth_value(const struct hf_cli_args *args, const char *name, size_t i);

/* The process around a command. Tests make their own. */
struct hf_cli {
    const char *program; /* as the user typed it: "holdfast" or "kubectl holdfast" */
    FILE *out, *err;
    int in_fd, out_fd; /* standard input and output, for "-" */
    bool terminal;     /* err is a terminal: draw progress */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_cli_command *commands; /* the table of this program; hf_cli_main() sets it */
    size_t n_commands;
    /* The thin program (cli/front.h) hands a patch over to the whole program. It has already read the first n bytes
     * of patch_fd; `word` is the patch on the command line. Returns only on failure. NULL: this is the whole
     * program. */
    int (*hand_over)(const struct hf_cli *cli, const char *word, int patch_fd, const void *head, size_t n,
                     struct hf_err *err);
    const char *self; /* path of the thin program; NULL: unknown */
    char **argv;      /* arguments of the thin program */
    /* Progress on the terminal. */
    uint64_t drawn_mono_ns; /* time of the last drawing */
    bool drawing;
    struct {
        uint64_t since_mono_ns, from; /* start of the measurement: its time and position */
        uint64_t done, total;         /* position at the last call; total 0: no measurement yet */
    } pace;
};

enum { HF_CLI_MAX_WORDS = 512 };

struct hf_cli_command {
    const char *name;    /* one or two words: "delta create" */
    const char *args;    /* "OLD NEW PATCH" */
    const char *summary; /* one line for `help` */
    const char *details; /* paragraphs for `help`; NULL: none */
    const struct hf_cli_option *options;
    size_t min_words, max_words; /* number of arguments */
    int (*run)(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
};

extern const struct hf_cli_command hf_cli_commands[];
extern const size_t hf_cli_n_commands;

/* Does all of main()'s work. Returns the exit code. */
int hf_cli_main(struct hf_cli *cli, int argc, char **argv);

/* Parses the arguments behind a command's name, runs the command and reports its error (cli/run.c). The caller
 * handles --help. Returns the exit code. */
int hf_cli_run(struct hf_cli *cli, const struct hf_cli_command *command, const char *const *argv, size_t n);

/* Prints "holdfast delta create: <error>". Returns the exit code for r. `command` may be "". */
int hf_cli_complain(struct hf_cli *cli, const char *command, int r, const struct hf_err *err);

/* Flushes the output. Returns `code`, or HF_EXIT_FAILED if the flush fails (a full disk behind `> file`). */
int hf_cli_finish(struct hf_cli *cli, const char *command, int code);

/* Returns true if the arguments contain --help or -h. */
bool hf_cli_asks_for_help(const char *const *argv, size_t n);

/* Returns the program's name for messages, from argv[0]. */
const char *hf_cli_program(int argc, char **argv);

/* Returns the exit code for an error: -EKEYREJECTED, -EBADMSG, -ESTALE and -EOPNOTSUPP are refusals, -EINVAL is
 * usage. */
int hf_cli_exit_of(int r);

/* ---- files (cli/io.c); "-" is standard input or output ----------------------------------------------------------- */

/* An output that appears under its name complete, or not at all. */
struct hf_cli_out {
    int fd;        /* write here, or with hf_cli_out_write() */
    char *path;    /* NULL: standard output */
    char *temp;    /* name of the unfinished file; NULL: it has none */
    bool replaces; /* the path has a file already */
};
#define HF_CLI_OUT_INIT                                                                                                \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }
HF_MUST_USE int hf_cli_out_open(struct hf_cli *cli, const char *path, mode_t mode, struct hf_cli_out *ret_out,
                                struct hf_err *err);
HF_MUST_USE int hf_cli_out_write(struct hf_cli_out *out, const void *bytes, size_t n, struct hf_err *err);
/* Syncs the file and gives it its name. */
HF_MUST_USE int hf_cli_out_commit(struct hf_cli_out *out, struct hf_err *err);
/* As hf_cli_out_commit(), with a choice: without `sync` a power cut may lose the new file, but if it replaces a
 * file, either the old or the new one survives complete. */
HF_MUST_USE int hf_cli_out_publish(struct hf_cli_out *out, bool sync, struct hf_err *err);
/* Closes the output, and removes the file unless it has been committed. */
void hf_cli_out_done(struct hf_cli_out *out);

/* An output behind a callback. */
struct hf_cli_sink {
    struct hf_cli_out out;
    uint64_t size; /* bytes written so far */
    struct hf_err *err;
};
int hf_cli_sink_write(void *sink, const void *bytes, size_t n);

/* A complete input in memory: a file is mapped, a pipe is read. -E2BIG: more than max_bytes. */
struct hf_cli_map {
    const void *p; /* not NULL after hf_cli_map_open() */
    size_t n;
    void *mapped;
    void *heap;
};
HF_MUST_USE int hf_cli_map_open(struct hf_cli *cli, const char *path, size_t max_bytes, struct hf_cli_map *ret_map,
                                struct hf_err *err);
/* Drops the mapped pages from memory; the system reads them again on access. */
void hf_cli_map_drop_pages(const struct hf_cli_map *map);
void hf_cli_map_done(struct hf_cli_map *map);

/* Opens an input that the caller reads in order. Duplicates standard input, so the caller always closes *ret_fd. */
HF_MUST_USE int hf_cli_in_open(struct hf_cli *cli, const char *path, int *ret_fd, struct hf_err *err);
/* Callbacks that read; `fd` points to an int. Return the number of bytes or -errno, but never -EINTR. */
ssize_t hf_cli_fd_read(void *fd, void *bytes, size_t n);
ssize_t hf_cli_fd_pread(void *fd, void *bytes, size_t n, uint64_t offset);

/* Draws "label  42 %, 3 min left", at most ten times a second, and only on a terminal. Estimates the remaining time
 * from the pace so far, after the first two seconds. A different total or a step back restarts the estimate. total
 * 0: only the label. _end clears the line. */
void hf_cli_progress(struct hf_cli *cli, const char *label, uint64_t done, uint64_t total);
void hf_cli_progress_end(struct hf_cli *cli);

#define HF_CLI_BYTES_TEXT 24
/* Formats "23.8 kB", with decimal units. Returns text. */
const char *hf_cli_bytes(uint64_t bytes, char text[HF_CLI_BYTES_TEXT]);

/* ---- the commands ---- */
#define HF_CLI_COMMAND(function)                                                                                       \
    extern const struct hf_cli_option function##_options[];                                                            \
    int function(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)

HF_CLI_COMMAND(hf_cli_delta_create); /* cli/delta/delta.c */
HF_CLI_COMMAND(hf_cli_delta_apply);  /* cli/delta/delta_apply.c */
HF_CLI_COMMAND(hf_cli_delta_info);   /* cli/delta/delta_info.c */
HF_CLI_COMMAND(hf_cli_key_generate); /* cli/release/key.c */
HF_CLI_COMMAND(hf_cli_key_public);
HF_CLI_COMMAND(hf_cli_release_create); /* cli/release/release_create.c */
HF_CLI_COMMAND(hf_cli_release_sign);   /* cli/release/release_check.c */
HF_CLI_COMMAND(hf_cli_release_verify);
HF_CLI_COMMAND(hf_cli_lint);       /* cli/release/lint.c */
HF_CLI_COMMAND(hf_cli_hold);       /* cli/node/hold.c */
HF_CLI_COMMAND(hf_cli_status);     /* cli/node/status.c */
HF_CLI_COMMAND(hf_cli_spool_stat); /* cli/node/spool.c */
HF_CLI_COMMAND(hf_cli_spool_cat);
HF_CLI_COMMAND(hf_cli_spool_verify);
HF_CLI_COMMAND(hf_cli_help); /* cli/help.c */
HF_CLI_COMMAND(hf_cli_version);
HF_CLI_COMMAND(hf_cli_completion); /* cli/completion.c */

#define HF_CLI_DEFAULT_STATE_DIR "/var/lib/holdfast"
#define HF_CLI_DEFAULT_RUN_DIR "/run/holdfast"
#define HF_CLI_DEFAULT_TRUST_DIR "/etc/holdfast/trust.d"
