/* SPDX-License-Identifier: Apache-2.0 */
/* support/cli_run.h - run a command of `holdfast` in this process, in a folder of its own, and look at what it printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/fs.h"

struct cli_run {
    char folder[64];                  /* made by _begin, removed by _end */
    int code;                         /* of the last run */
    char *out, *err;                  /* of the last run */
    const struct hf_clock_ops *clock; /* NULL: the machine's */
    const struct hf_fs_ops *fs;       /* likewise */
    bool terminal;                    /* standard output counts as a terminal */
};

/* Makes the folder; relative paths given to commands are looked up from the top of the sources, so write "%" for it:
 * cli(&run, "lint", "%/a.yaml", NULL). */
void cli_begin(struct cli_run *run);
void cli_end(struct cli_run *run);

/* holdfast WORD... NULL; returns the exit code. A '%' at the beginning or behind '=' of a word is the folder. */
int cli(struct cli_run *run, ...);

/* With this file as standard input. */
int cli_with_input(struct cli_run *run, const char *file, ...);

/* The section of holdfast(1) on this command ("delta info") names every member of the JSON that was printed last, at any depth:
 * scripts are written from the page. */
void cli_page_knows_json(const struct cli_run *run, const char *command);

/* "%/name" written out; the text lives until the next call but three. */
const char *cli_path(const struct cli_run *run, const char *name);
void cli_write(const struct cli_run *run, const char *name, const void *bytes, size_t n);
void cli_write_text(const struct cli_run *run, const char *name, const char *text);
/* Closes or opens the run's folder. While it is closed, the test runs as a user who cannot look into it. */
void cli_close_folder(const struct cli_run *run, bool closed);
/* Whole file, free() it; NULL when there is none. */
char *cli_read(const struct cli_run *run, const char *name, size_t *ret_n);
