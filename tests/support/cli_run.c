/* SPDX-License-Identifier: Apache-2.0 */
#include "support/cli_run.h"

#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "codec/json.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"

enum { MAX_WORDS = 64, PATHS = 4 };

void cli_begin(struct cli_run *run)
{
    memset(run, 0, sizeof(*run));
    (void)snprintf(run->folder, sizeof(run->folder), "/tmp/holdfast-cli-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(run->folder));
}

void cli_end(struct cli_run *run)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), run->folder, NULL), 0);
    free(run->out);
    free(run->err);
    run->out = run->err = NULL;
}

/* Every '%' that begins a word or stands behind '=' or ',' becomes the folder. */
static char *expand(const struct cli_run *run, const char *word)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);

    for (const char *p = word; *p != '\0'; p++) {
        bool folder = *p == '%' && (p == word || p[-1] == '=' || p[-1] == ',');
        ck_assert_int_eq(folder ? hf_buf_add_str(&text, run->folder) : hf_buf_add(&text, p, 1), 0);
    }
    return hf_buf_take(&text);
}

static int run_words(struct cli_run *run, int in_fd, va_list list)
{
    static char program[] = "holdfast";
    char *argv[MAX_WORDS + 1] = {program};
    size_t out_n = 0, err_n = 0;
    int argc = 1;

    for (const char *word; (word = va_arg(list, const char *)) != NULL && argc < MAX_WORDS;)
        argv[argc++] = expand(run, word);
    free(run->out);
    free(run->err);
    struct hf_cli process = {
        .out = open_memstream(&run->out, &out_n),
        .err = open_memstream(&run->err, &err_n),
        .in_fd = in_fd,
        .out_fd = STDOUT_FILENO,
        .out_terminal = run->terminal,
        .fs = run->fs != NULL ? run->fs : hf_fs_posix(),
        .clock = run->clock != NULL ? run->clock : hf_clock_posix(),
    };
    ck_assert(process.out != NULL && process.err != NULL);
    run->code = hf_cli_main(&process, argc, argv);
    (void)fclose(process.out);
    (void)fclose(process.err);
    for (int i = 1; i < argc; i++)
        free(argv[i]);
    return run->code;
}

int cli(struct cli_run *run, ...)
{
    va_list list;

    va_start(list, run);
    int code = run_words(run, STDIN_FILENO, list);
    va_end(list);
    return code;
}

int cli_with_input(struct cli_run *run, const char *file, ...)
{
    int fd = open(cli_path(run, file), O_RDONLY | O_CLOEXEC);
    va_list list;

    ck_assert_int_ge(fd, 0);
    va_start(list, file);
    int code = run_words(run, fd, list);
    va_end(list);
    (void)close(fd);
    return code;
}

static void expect_names(const char *section, const char *command, json_t *json)
{
    const char *name;
    json_t *value;

    for (size_t i = 0; i < json_array_size(json); i++)
        expect_names(section, command, json_array_get(json, i));
    json_object_foreach(json, name, value) {
        /* As a word of its own: "bytes" is not told by "wireBytes". */
        size_t n = strlen(name);
        const char *at = strstr(section, name);
        while (at != NULL && (strchr(" \n\"", at[-1]) == NULL || strchr(" \n\",", at[n]) == NULL))
            at = strstr(at + 1, name);
        ck_assert_msg(at != NULL, "holdfast.1 does not tell '%s' of %s --json", name, command);
        expect_names(section, command, value);
    }
}

void cli_page_knows_json(const struct cli_run *run, const char *command)
{
    _cleanup_(hf_buf_done) struct hf_buf page = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_freep) char *title = hf_asprintf("\n.SS %s", command);
    _cleanup_(hf_json_freep) json_t *json = NULL;

    ck_assert_int_eq(hf_file_read(hf_fs_posix(), "cmd/holdfast/holdfast.1", &page, NULL), 0);
    ck_assert_int_eq(hf_json_parse(hf_view_of(run->out), NULL, &json, NULL), 0);
    char *section = strstr(page.p, title), *end = section != NULL ? strstr(section + 1, "\n.S") : NULL;
    ck_assert_msg(end != NULL, "holdfast.1 has no section '%s'", command);
    *end = '\0';
    expect_names(section, command, json);
}

const char *cli_path(const struct cli_run *run, const char *name)
{
    static char paths[PATHS][512];
    static unsigned next;
    char *path = paths[next++ % PATHS];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", run->folder, name);
    return path;
}

void cli_write(const struct cli_run *run, const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(cli_path(run, name), "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}

void cli_write_text(const struct cli_run *run, const char *name, const char *text)
{
    cli_write(run, name, text, strlen(text));
}

void cli_close_folder(const struct cli_run *run, bool closed)
{
    static uid_t self;

    if (closed)
        self = geteuid();
    if (!closed)
        ck_assert_int_eq(seteuid(self), 0);
    ck_assert_int_eq(chmod(run->folder, closed ? 0 : 0700), 0);
    if (closed && self == 0)
        ck_assert_int_eq(seteuid(65534), 0);
}

char *cli_read(const struct cli_run *run, const char *name, size_t *ret_n)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64 << 20);

    if (hf_file_read(hf_fs_posix(), cli_path(run, name), &text, NULL) < 0)
        return NULL;
    if (ret_n != NULL)
        *ret_n = text.n;
    return hf_buf_take(&text);
}
