/* cli/cli.h - the operator's commands: one table, one way to read options, one way to tell what went wrong.
 *
 * A command is a row (cli/commands.c) and a function. Help, completion and suggestions come from the row alone, and a test
 * holds the manual page against it. Commands block: nothing here runs on a loop.
 *
 * A command's function returns 0; or -errno with *err, which the caller prints once and turns into an exit code; or, when it
 * has said everything itself, a positive enum hf_cli_exit. */
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

/* Promised to scripts; holdfast(1) lists them. */
enum hf_cli_exit {
    HF_EXIT_OK = 0,
    HF_EXIT_FAILED = 1,  /* a file, a network, a full disk: try again when that is mended */
    HF_EXIT_USAGE = 2,   /* the command line itself is wrong; nothing was done */
    HF_EXIT_REFUSED = 3, /* signature, hash, damaged or invalid content: trying again will not help */
    HF_EXIT_UNWELL = 4,  /* `status`: the node was read, and something on it needs a person */
    HF_EXIT_SILENT = 5,  /* `status`: what was read is old: no agent runs, or it does not renew what it said */
};

enum { HF_CLI_MAX_OPTIONS = 64 }; /* given on one command line, repeats counted */

/* One option; an array of them ends with a NULL name. */
struct hf_cli_option {
    const char *name;  /* "json", without dashes */
    const char *value; /* what follows, for help ("FILE"); NULL: a flag */
    const char *help;  /* one line, lower case, no full stop */
    char letter;       /* 'j' for -j; 0 none */
    bool repeats;      /* may be given more than once */
    bool required;
    const char *means; /* the one value it takes, which is the name of the flag that it stands for */
};

/* The last rows of a command that can answer in JSON: --json, and what kubectl's users type for it. */
#define HF_CLI_JSON(text)                                                                                              \
    {.name = "json", .help = (text)},                                                                                  \
    {                                                                                                                  \
        .name = "output", .value = "json", .letter = 'o', .means = "json", .help = "the same as --json"                \
    }

/* What stood on the command line. Borrows from argv. */
struct hf_cli_args {
    const struct hf_cli_option *options[HF_CLI_MAX_OPTIONS];
    const char *values[HF_CLI_MAX_OPTIONS];
    size_t n_options;
    const char *const *words; /* what is no option, in order; NULL ends */
    size_t n_words;
};

bool hf_cli_flag(const struct hf_cli_args *args, const char *name);
/* The last one given, or `fallback`. */
const char *hf_cli_value(const struct hf_cli_args *args, const char *name, const char *fallback);
/* The i-th one given, NULL when there are not so many. */
const char *hf_cli_nth_value(const struct hf_cli_args *args, const char *name, size_t i);

/* The process around a command; tests make their own. */
struct hf_cli {
    const char *program; /* as the person typed it: "holdfast" or "kubectl holdfast" */
    FILE *out, *err;
    int in_fd, out_fd; /* what "-" means */
    bool terminal;     /* err is a terminal: draw progress */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_cli_command *commands; /* the table of this program; hf_cli_main() sets it */
    size_t n_commands;
    /* The thin program (cli/front.h) leaves a patch to the whole one: the first `n` bytes of `patch_fd` were read already, `word` is what
     * it is called on the command line. Returns only when that fails. NULL: this is the whole program. */
    int (*hand_over)(const struct hf_cli *cli, const char *word, int patch_fd, const void *head, size_t n,
                     struct hf_err *err);
    const char *self; /* the thin program's path, NULL unknown; and what it was called with */
    char **argv;
    uint64_t drawn_mono_ns; /* when progress was drawn last */
    bool drawing;
    struct { /* what the time that is left is reckoned from: since when, from where on, of how much; total 0: not yet */
        uint64_t since_mono_ns, from, done, total;
    } pace;
};

enum { HF_CLI_MAX_WORDS = 512 };

struct hf_cli_command {
    const char *name; /* words with one blank between: "delta create" */
    const char *args; /* "OLD NEW PATCH" */
    const char *summary;
    const char *details; /* paragraphs for `help`, NULL none */
    const struct hf_cli_option *options;
    size_t min_words, max_words; /* max SIZE_MAX: any number */
    int (*run)(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
};

extern const struct hf_cli_command hf_cli_commands[];
extern const size_t hf_cli_n_commands;

/* The whole of main(): returns the exit code. */
int hf_cli_main(struct hf_cli *cli, int argc, char **argv);

/* What follows a command's name, from reading its options to the exit code (cli/run.c). The one who calls looks for
 * --help. */
int hf_cli_run(struct hf_cli *cli, const struct hf_cli_command *command, const char *const *argv, size_t n);

/* "holdfast delta create: what went wrong"; returns the exit code. `command` is "" when there is none. */
int hf_cli_complain(struct hf_cli *cli, const char *command, int r, const struct hf_err *err);

/* What was printed has reached its reader, or the command failed: a full disk behind `> file` is no success. */
int hf_cli_finish(struct hf_cli *cli, const char *command, int code);

/* Does --help stand there? */
bool hf_cli_asks_for_help(const char *const *argv, size_t n);

/* The program's name for messages, from argv[0]. */
const char *hf_cli_program(int argc, char **argv);

/* The exit code for an error: -EKEYREJECTED, -EBADMSG, -ESTALE and -EOPNOTSUPP are refusals, -EINVAL is usage. */
int hf_cli_exit_of(int r);

/* ---- files as commands use them (cli/io.c): "-" is standard input or output ---- */

/* An output that appears under its name whole, or not at all. */
struct hf_cli_out {
    int fd;        /* write here, or with hf_cli_out_write() */
    char *path;    /* NULL: standard output */
    char *temp;    /* name of the unfinished file, NULL while it has none */
    bool replaces; /* a file stood there */
};
#define HF_CLI_OUT_INIT                                                                                                \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }
HF_MUST_USE int hf_cli_out_open(struct hf_cli *cli, const char *path, mode_t mode, struct hf_cli_out *ret_out,
                                struct hf_err *err);
HF_MUST_USE int hf_cli_out_write(struct hf_cli_out *out, const void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int hf_cli_out_commit(struct hf_cli_out *out, struct hf_err *err); /* fsync and rename */
/* The same; without `sync` it need not outlive a power cut at once, but where it replaces a file that one or the other does, whole. */
HF_MUST_USE int hf_cli_out_publish(struct hf_cli_out *out, bool sync, struct hf_err *err);
void hf_cli_out_done(struct hf_cli_out *out); /* forgets what was not committed */

/* One behind a callback. */
struct hf_cli_sink {
    struct hf_cli_out out;
    uint64_t size; /* written so far */
    struct hf_err *err;
};
int hf_cli_sink_write(void *sink, const void *bytes, size_t n);

/* A whole input in memory: mapped where it is a file, read where it is a pipe (at most max_bytes: -E2BIG). */
struct hf_cli_map {
    const void *p; /* never NULL once opened */
    size_t n;
    void *mapped;
    void *heap;
};
HF_MUST_USE int hf_cli_map_open(struct hf_cli *cli, const char *path, size_t max_bytes, struct hf_cli_map *ret_map,
                                struct hf_err *err);
/* Give back the pages it has; they are read again when they are asked for. */
void hf_cli_map_rest(const struct hf_cli_map *map);
void hf_cli_map_done(struct hf_cli_map *map);

/* A descriptor to read an input in order from; standard input is duplicated, so close it always. */
HF_MUST_USE int hf_cli_in_open(struct hf_cli *cli, const char *path, int *ret_fd, struct hf_err *err);
/* Callbacks of those who read; `fd`: an int. -errno, but no -EINTR. */
ssize_t hf_cli_fd_read(void *fd, void *bytes, size_t n);
ssize_t hf_cli_fd_pread(void *fd, void *bytes, size_t n, uint64_t offset);

/* "label  42 %, 3 min left" on a terminal, at most ten times a second; nothing elsewhere. What is left is reckoned from the pace so
 * far, once two seconds have shown it; another total, or a step back, begins anew. total 0: the label alone. _end clears the line. */
void hf_cli_progress(struct hf_cli *cli, const char *label, uint64_t done, uint64_t total);
void hf_cli_progress_end(struct hf_cli *cli);

#define HF_CLI_BYTES_TEXT 24
/* "23.8 kB", decimal as links are sold; returns text. */
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
