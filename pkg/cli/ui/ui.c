/* SPDX-License-Identifier: Apache-2.0 */
/* The page of the fleet: follow the cluster, fill the board, tell viewers that there is news.
 *
 * * One watch for each of three kinds (the Nodes only as metadata, for their labels) brings everything; an object
 * becomes a row and is forgotten. Changes within TELL_NS are told at once, and while nothing changes no timer runs.
 *
 * * Without the right to read EdgeNodes there is nothing to show, so before the first answer of that kind a refusal
 * ends the command. Everything else, also a refusal that comes later, is said on the page while the client goes on
 * trying: a page that disappears tells less. Without the right to read Nodes only the labels are missing. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/format.h"
#include "base/list.h"
#include "cli/fleet/cluster.h"
#include "cli/plain.h"
#include "cli/ui/door.h"
#include "cli/ui/row.h"
#include "loop/loop.h"

enum { MAX_TELL = 8192, MAX_NODE = 4 << 20, MAX_ASKED = 32 };
#define TELL_NS (100 * HF_NS_PER_MS)

const struct hf_cli_option hf_cli_ui_options[] = {
    {.name = "no-browser", .help = "only print the address"},
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

struct ui;

struct followed {
    struct ui *ui;
    const char *kind, *plural, *row; /* row: the kind in the board */
    json_t *(*make)(const json_t *object);
    struct hf_subscription *subscription;
    bool synced;
    bool lost;
    char why[600];
};

enum { NODES, UPDATES, LABELS, KINDS };

/* A viewer wants one whole EdgeNode. */
struct question {
    struct ui *ui;
    struct hf_list link;
    struct hf_server_exchange *exchange;
};

struct ui {
    struct hf_cli *cli;
    const struct hf_cli_args *args;
    struct hf_cluster *cluster;
    struct hf_ui_board *board;
    struct hf_ui_door *door;
    struct hf_timer *timer;
    bool armed;
    int64_t ahead_ns; /* the server's clock minus this one's */
    bool partial;     /* an object found no room on the board, or cannot be read */
    struct followed kinds[KINDS];
    struct hf_list asked;
    unsigned n_asked;
    int r; /* why the command ends */
    struct hf_err *err;
};

static void stop(void *arg)
{
    struct ui *ui = arg;

    hf_loop_stop(hf_cluster_loop(ui->cluster));
}

/* ---- what viewers hear ------------------------------------------------------------------------------------------- */

static json_t *state_of(const struct followed *kind)
{
    return json_pack("{s:b, s:b, s:s}", "synced", kind->synced, "lost", kind->lost, "why", kind->why);
}

static uint64_t now_unix_ns(const struct ui *ui)
{
    return hf_unix_ns(ui->cli->clock) + (uint64_t)ui->ahead_ns;
}

static void tell(void *arg)
{
    struct ui *ui = arg;
    char time[HF_TIME_TEXT];
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TELL);
    _cleanup_(hf_json_freep) json_t *json =
        json_pack("{s:I, s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "version", (json_int_t)hf_ui_board_version(ui->board),
                  "time", hf_format_time(now_unix_ns(ui), time), "server", hf_cluster_server(ui->cluster), "context",
                  hf_cli_value(ui->args, "context", ""), "partial", ui->partial, "nodes", state_of(&ui->kinds[NODES]),
                  "updates", state_of(&ui->kinds[UPDATES]), "labels", state_of(&ui->kinds[LABELS]));

    ui->armed = false;
    if (json != NULL && hf_json_format(json, &text) == 0)
        (void)!hf_ui_door_tell(ui->door, hf_buf_view(&text));
}

static void tell_soon(struct ui *ui)
{
    const struct hf_sched_ops *sched = hf_loop_sched(hf_cluster_loop(ui->cluster));

    if (ui->armed)
        return;
    ui->armed = true;
    sched->timer_arm(sched->ctx, ui->timer, TELL_NS);
}

/* ---- what the cluster says --------------------------------------------------------------------------------------- */

static void take(struct ui *ui, int r)
{
    ui->partial |= r < 0;
    tell_soon(ui);
}

static void on_upsert(void *arg, json_t *object)
{
    const struct followed *kind = arg;

    take(kind->ui,
         hf_ui_board_put(kind->ui->board, kind->row, hf_json_str_or(object, "metadata.name", ""), kind->make(object)));
}

static void on_gone(void *arg, const char *name)
{
    const struct followed *kind = arg;

    take(kind->ui, hf_ui_board_remove(kind->ui->board, kind->row, name));
}

static void on_unreadable(void *arg, const char *name, const struct hf_err *err)
{
    const struct followed *kind = arg;

    (void)name;
    take(kind->ui, err != NULL ? -EBADMSG : 0);
}

static void on_synced(void *arg, const char *resource_version)
{
    struct followed *kind = arg;

    (void)resource_version;
    kind->synced = true;
    tell_soon(kind->ui);
}

/* These do not pass while one waits. */
static bool is_lasting(int code)
{
    return code == EPERM || code == EACCES || code == ENOENT || code == EKEYREJECTED || code == EREMCHG;
}

static void on_contact(void *arg, enum hf_contact_kind contact, struct hf_server_date date, const struct hf_err *err)
{
    struct followed *kind = arg;
    struct ui *ui = kind->ui;
    bool lost = contact == HF_CONTACT_LOST;
    struct hf_err why = lost && err != NULL ? *err : (struct hf_err)HF_ERR_INIT;

    if (date.unix_ns != 0)
        ui->ahead_ns = (int64_t)(date.unix_ns - hf_unix_ns(ui->cli->clock));
    if (!lost && !kind->lost)
        return;
    if (lost) {
        const struct hf_kube_call call = {.verb = HF_KUBE_LIST, .plural = kind->plural};
        int r = hf_cluster_explain(ui->cluster, &call, why.code == EPERM ? -EACCES : -why.code, &why);
        char text[sizeof(why.cause) + sizeof(why.where) + 4];
        (void)snprintf(kind->why, sizeof(kind->why), "%s", hf_err_text(&why, text, sizeof(text)));
        if (kind == &ui->kinds[NODES] && !kind->synced && err != NULL && is_lasting(err->code)) {
            ui->r = r;
            *ui->err = why;
            stop(ui);
        } else if (!kind->lost) {
            hf_cli_print_line(ui->cli->err, "%s; %s", kind->why,
                              kind == &ui->kinds[LABELS] ? "the page does without labels" : "trying again");
        }
    } else {
        kind->why[0] = '\0';
    }
    kind->lost = lost;
    tell_soon(ui);
}

static int follow(struct ui *ui, struct hf_err *err)
{
    const struct hf_source_ops *source = hf_kube_source(hf_cluster_kube(ui->cluster));
    int r = 0;

    for (size_t i = 0; i < KINDS && r == 0; i++) {
        struct followed *kind = &ui->kinds[i];
        const struct hf_source_sink sink = {.arg = kind,
                                            .upsert = on_upsert,
                                            .gone = on_gone,
                                            .synced = on_synced,
                                            .contact = on_contact,
                                            .unreadable_object = on_unreadable};
        r = source->subscribe(source->ctx, kind->kind, NULL, "", NULL, &sink, &kind->subscription, err);
    }
    return r;
}

/* ---- one node, whole --------------------------------------------------------------------------------------------- */

static void reply(struct question *asked, int status, struct hf_view body)
{
    static const char *const headers[] = {"X-Content-Type-Options: nosniff",
                                          "Cross-Origin-Resource-Policy: same-origin", NULL};

    hf_server_answer(asked->exchange, status, "application/json", headers, body);
    hf_list_remove(&asked->link);
}

static void reply_error(struct question *asked, int status, const char *why)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:s}", "error", why);

    (void)!hf_json_format(json, &text);
    reply(asked, status, hf_buf_view(&text));
}

static void on_node(void *arg, const struct hf_kube_answer *got)
{
    struct question *asked = arg;
    struct ui *ui = asked->ui;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_NODE);

    if (got->r == 0) {
        json_t *node = hf_json_mutable(got->object);
        (void)json_object_del(json_object_get(node, "metadata"), "managedFields");
        if (hf_json_format(node, &text) == 0)
            reply(asked, 200, hf_buf_view(&text));
        else
            reply_error(asked, 500, "the object is too large");
    } else {
        struct hf_err why = got->err;
        const struct hf_kube_call call = {.verb = HF_KUBE_GET, .plural = "edgenodes"};
        char line[sizeof(why.cause) + sizeof(why.where) + 4];
        (void)hf_cluster_explain(ui->cluster, &call, got->r, &why);
        reply_error(asked, got->r == -ENOENT ? 404 : 502, hf_err_text(&why, line, sizeof(line)));
    }
    ui->n_asked--;
    free(asked);
}

static void ask_for_node(void *arg, struct hf_view name, struct hf_server_exchange *exchange)
{
    struct ui *ui = arg;
    _cleanup_(hf_freep) char *text = hf_view_dup(name);
    struct question *asked = ui->n_asked < MAX_ASKED && text != NULL ? calloc(1, sizeof(*asked)) : NULL;
    struct hf_kube_pending *pending;
    struct hf_err why = HF_ERR_INIT;

    if (asked == NULL) {
        hf_server_answer(exchange, 503, "application/json", NULL, hf_view_of("{\"error\":\"too many at once\"}\n"));
        return;
    }
    *asked = (struct question){.exchange = exchange, .ui = ui};
    hf_list_append(&ui->asked, &asked->link);
    ui->n_asked++;
    const struct hf_kube_call call = {
        .verb = HF_KUBE_GET, .api_version = HF_API_GROUP_VERSION, .plural = "edgenodes", .name = text};
    if (hf_cluster_check_name(text, &why) == 0 &&
        hf_kube_call_send(hf_cluster_kube(ui->cluster), &call, on_node, asked, &pending, &why) == 0)
        return;
    reply_error(asked, 400, why.cause);
    ui->n_asked--;
    free(asked);
}

/* The calls end with the cluster's client, and each exchange needs its answer. */
static void answer_all(struct ui *ui)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &ui->asked) {
        struct question *asked = hf_container_of(it, struct question, link);
        reply_error(asked, 503, "holdfast ui ends");
        free(asked);
    }
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
    struct hf_loop *loop = hf_cluster_loop(ui->cluster);
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    const struct hf_ui_door_params params = {
        .loop = loop, .board = ui->board, .uid = geteuid(), .node = ask_for_node, .arg = ui};
    int r = hf_ui_door_open(&params, &ui->door, err);

    ui->timer = sched->timer_new(sched->ctx, tell, ui);
    if (r == 0 && ui->timer == NULL)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = hf_loop_on_signal(loop, SIGINT, stop, ui);
    if (r == 0)
        r = hf_loop_on_signal(loop, SIGTERM, stop, ui);
    return r == 0 ? follow(ui, err) : r;
}

static int serve(struct ui *ui, struct hf_err *err)
{
    const char *url = hf_ui_door_url(ui->door);

    tell(ui);
    (void)fprintf(ui->cli->out, "%s\n", url);
    int r = hf_cli_flush(ui->cli, err);
    if (r < 0)
        return r;
    hf_cli_print_line(ui->cli->err, "the fleet at %s; Ctrl-C ends the page", hf_cluster_server(ui->cluster));
    if (!hf_cli_flag(ui->args, "no-browser"))
        open_browser(url);
    hf_loop_run(hf_cluster_loop(ui->cluster));
    return ui->r;
}

static void close_all(struct ui *ui)
{
    const struct hf_source_ops *source = hf_kube_source(hf_cluster_kube(ui->cluster));
    const struct hf_sched_ops *sched = hf_loop_sched(hf_cluster_loop(ui->cluster));

    for (size_t i = 0; i < KINDS; i++)
        source->unsubscribe(source->ctx, ui->kinds[i].subscription);
    answer_all(ui);
    hf_ui_door_close(ui->door);
    sched->timer_free(sched->ctx, ui->timer);
}

int hf_cli_ui(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct ui ui = {
        .cli = cli,
        .args = args,
        .err = err,
        .kinds =
            {[NODES] = {.kind = "EdgeNode", .plural = "edgenodes", .row = "node", .make = hf_ui_row_of_node},
             [UPDATES] = {.kind = "EdgeUpdate", .plural = "edgeupdates", .row = "update", .make = hf_ui_row_of_update},
             [LABELS] = {.kind = "Node", .plural = "nodes", .row = "labels", .make = hf_ui_row_of_labels}},
    };
    int r;

    hf_list_init(&ui.asked);
    for (size_t i = 0; i < KINDS; i++)
        ui.kinds[i].ui = &ui;
    r = hf_cluster_open(cli, args, &ui.cluster, err);
    if (r < 0)
        return r;
    ui.board = hf_ui_board_new();
    r = ui.board == NULL ? hf_err_set(err, ENOMEM, "out of memory") : open_all(&ui, err);
    if (r == 0)
        r = serve(&ui, err);
    close_all(&ui);
    hf_cluster_close(ui.cluster);
    hf_ui_board_free(ui.board);
    return r;
}
