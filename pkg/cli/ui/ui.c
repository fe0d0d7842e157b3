/* SPDX-License-Identifier: Apache-2.0 */
/* The page of the fleet: follow the clusters, fill the board, tell viewers that there is news. Changes within TELL_NS
 * are told at once, and while nothing changes no timer runs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/plain.h"
#include "cli/ui/act.h"
#include "cli/ui/door.h"
#include "loop/loop.h"

enum { MAX_TELL = 64 << 10 };
#define TELL_NS (100 * HF_NS_PER_MS)

const struct hf_cli_option hf_cli_ui_options[] = {
    HF_CLI_OPTION("no-browser", NULL, "only print the address"),
    HF_UI_FOLLOW_OPTIONS,
    {.name = NULL},
};

struct ui {
    struct hf_cli *cli;
    const struct hf_cli_args *args;
    struct hf_ui_follow *follow;
    struct hf_ui_board *board;
    struct hf_ui_requests *requests;
    struct hf_ui_door *door;
    struct hf_timer *timer;
    bool armed;
    char program[PATH_MAX];
};

static void stop(void *arg)
{
    const struct ui *ui = arg;

    hf_loop_stop(hf_ui_follow_loop(ui->follow));
}

/* ---- what viewers hear ------------------------------------------------------------------------------------------- */

static void tell(void *arg)
{
    struct ui *ui = arg;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TELL);
    _cleanup_(hf_json_freep) json_t *json = hf_ui_follow_state(ui->follow);

    ui->armed = false;
    if (json != NULL && json_object_set_new(json, "options", hf_ui_act_options(ui->args)) == 0 &&
        json_object_set_new(json, "version", json_integer((json_int_t)hf_ui_board_version(ui->board))) == 0 &&
        hf_json_format(json, &text) == 0)
        (void)!hf_ui_door_tell(ui->door, hf_buf_view(&text));
}

static void on_change(void *arg)
{
    struct ui *ui = arg;

    if (ui->armed || ui->timer == NULL)
        return;
    ui->armed = true;
    hf_timer_arm(hf_loop_sched(hf_ui_follow_loop(ui->follow)), ui->timer, TELL_NS);
}

static void on_warning(void *arg, const char *line)
{
    const struct ui *ui = arg;

    hf_cli_print_line(ui->cli->err, "%s", line);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

/* In a session of its own, so that neither Ctrl-C nor the end of this command ends a browser that it starts. Where
 * there is no desktop, xdg-open would start a browser in this terminal. */
static void open_browser(const char *url)
{
    char *const argv[] = {(char[]){"xdg-open"}, strdup(url), NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    pid_t pid;

    if (argv[1] != NULL && ((x != NULL && x[0] != '\0') || (wayland != NULL && wayland[0] != '\0')) &&
        posix_spawn_file_actions_init(&files) == 0) {
        if (posix_spawnattr_init(&attributes) == 0) {
            (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
            for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                (void)posix_spawn_file_actions_addopen(&files, fd, "/dev/null",
                                                       fd == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
            (void)posix_spawnp(&pid, argv[0], &files, &attributes, argv, environ);
            (void)posix_spawnattr_destroy(&attributes);
        }
        (void)posix_spawn_file_actions_destroy(&files);
    }
    free(argv[1]);
}

static int open_all(struct ui *ui, struct hf_err *err)
{
    const struct hf_ui_follow_params params = {.cli = ui->cli,
                                               .args = ui->args,
                                               .board = ui->board,
                                               .without_labels = "the page does without labels",
                                               .warned = on_warning,
                                               .changed = on_change,
                                               .arg = ui};
    int r = hf_ui_follow_open(&params, &ui->follow, err);

    if (r < 0)
        return r;
    struct hf_loop *loop = hf_ui_follow_loop(ui->follow);
    ui->timer = hf_timer_new(hf_loop_sched(loop), tell, ui);
    ui->requests = hf_ui_requests_new(ui->follow, ui->args, ui->program);
    if (ui->timer == NULL || ui->requests == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = hf_ui_door_open(
        &(struct hf_ui_door_params){.loop = loop, .board = ui->board, .uid = geteuid(), .requests = ui->requests},
        &ui->door, err);
    if (r == 0)
        r = hf_loop_on_signal(loop, SIGINT, stop, ui);
    return r == 0 ? hf_loop_on_signal(loop, SIGTERM, stop, ui) : r;
}

static int serve(struct ui *ui, struct hf_err *err)
{
    const char *url = hf_ui_door_url(ui->door);

    tell(ui);
    (void)fprintf(ui->cli->out, "%s\n", url);
    int r = hf_cli_flush(ui->cli, err);
    if (r < 0)
        return r;
    hf_cli_print_line(ui->cli->err, "the fleet at %s; Ctrl-C ends the page", hf_ui_follow_server(ui->follow));
    if (!hf_cli_flag(ui->args, "no-browser"))
        open_browser(url);
    return hf_ui_follow_run(ui->follow, err);
}

static void close_all(struct ui *ui)
{
    hf_ui_requests_free(ui->requests);
    hf_ui_door_close(ui->door);
    if (ui->timer != NULL) {
        const struct hf_sched_ops *sched = hf_loop_sched(hf_ui_follow_loop(ui->follow));
        hf_timer_free(sched, hf_steal(ui->timer));
    }
    hf_ui_follow_close(ui->follow);
    hf_ui_board_free(ui->board);
}

int hf_cli_ui(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct ui ui = {.cli = cli, .args = args, .board = hf_ui_board_new()};
    ssize_t n = readlink("/proc/self/exe", ui.program, sizeof(ui.program) - 1);

    ui.program[n > 0 ? n : 0] = '\0'; /* without it, acts do not start */
    int r = ui.board == NULL ? hf_err_set(err, ENOMEM, "out of memory") : open_all(&ui, err);
    if (r == 0)
        r = serve(&ui, err);
    close_all(&ui);
    return r;
}
