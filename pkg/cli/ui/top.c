/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet in a terminal: what changed is drawn at most every DRAW_NS, a key at once, and the clock each minute, which
 * finds who fell silent. Without a terminal: one picture, once every kind has answered.
 *
 * The terminal is as it was when the command ends, also by a signal; in between, the picture is on the other screen, so
 * what was there before comes back. Ctrl-Z is off, because a stopped command could not restore it. */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/plain.h"
#include "cli/ui/follow.h"
#include "cli/ui/screen.h"
#include "loop/loop.h"

enum { WIDE = 80 };
#define DRAW_NS (250 * HF_NS_PER_MS)
#define CLOCK_NS (60 * HF_NS_PER_S)
#define PATIENCE_NS (30 * HF_NS_PER_S)

/* The other screen, no cursor, no wrapping; and back. */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define LEAVE "\x1b[?7h\x1b[?25h\x1b[?1049l"

const struct hf_cli_option hf_cli_top_options[] = {HF_UI_FOLLOW_OPTIONS, {.name = NULL}};

struct top {
    struct hf_cli *cli;
    struct hf_ui_board *board;
    struct hf_ui_follow *follow;
    struct hf_ui_model model;
    struct hf_ui_screen screen;
    struct hf_timer *timer;
    struct hf_loop_fd *keys;
    uint64_t drawn_ns;
    bool live; /* a terminal, changed until leave() */
    struct termios before;
    int r;
};

static void stop(void *arg)
{
    const struct top *top = arg;

    hf_loop_stop(hf_ui_follow_loop(top->follow));
}

static void wait_for(struct top *top, uint64_t ns)
{
    hf_timer_arm(hf_loop_sched(hf_ui_follow_loop(top->follow)), top->timer, ns);
}

/* ---- the picture ------------------------------------------------------------------------------------------------- */

static void measure(struct top *top)
{
    struct winsize size = {0};

    if (top->live && ioctl(top->cli->out_fd, TIOCGWINSZ, &size) < 0)
        size = (struct winsize){0};
    top->screen.columns = size.ws_col > 0 ? size.ws_col : WIDE;
    top->screen.lines = !top->live ? 0 : size.ws_row > 0 ? size.ws_row : 24;
}

/* Each line erases what was behind it, so nothing flickers. */
static int print_live(struct top *top, struct hf_view text)
{
    struct hf_view one;

    (void)fputs("\x1b[H", top->cli->out);
    for (bool first = true; hf_view_split(&text, '\n', &one); first = false)
        (void)fprintf(top->cli->out, "%s%.*s\x1b[K", first ? "" : "\r\n", (int)one.n, one.p);
    (void)fputs("\x1b[J", top->cli->out);
    return fflush(top->cli->out) == 0 ? 0 : -EIO;
}

static int draw(struct top *top)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_UI_MAX_SCREEN_BYTES);
    _cleanup_(hf_json_freep) json_t *state = hf_ui_follow_state(top->follow);
    int r = hf_ui_model_take(&top->model, top->board);

    measure(top);
    top->screen.state = state;
    top->screen.now_unix_s = (int64_t)(hf_ui_follow_now_unix_ns(top->follow) / HF_NS_PER_S);
    if (r == 0)
        r = hf_ui_screen_draw(&top->screen, &text);
    top->screen.state = NULL;
    top->drawn_ns = hf_mono_ns(top->cli->clock);
    if (r == 0 && top->live)
        return print_live(top, hf_buf_view(&text));
    if (r == 0)
        (void)fprintf(top->cli->out, "%s\n", hf_buf_str(&text));
    return r;
}

static void redraw(void *arg)
{
    struct top *top = arg;

    top->r = draw(top);
    if (top->r < 0)
        stop(top);
    else
        wait_for(top, CLOCK_NS);
}

static void on_time(void *arg)
{
    struct top *top = arg;

    if (top->live)
        redraw(top);
    else
        stop(top);
}

/* Every kind has come, or failed. */
static bool is_whole(const struct top *top)
{
    _cleanup_(hf_json_freep) json_t *state = hf_ui_follow_state(top->follow);
    const json_t *contexts = hf_json_at(state, "contexts");
    static const char *const kinds[] = {"nodes", "updates", "labels"};

    for (size_t i = 0; i < json_array_size(contexts); i++) {
        const json_t *one = json_array_get(contexts, i);
        bool lost = hf_json_bool_or(json_object_get(one, "nodes"), "lost", false);
        for (size_t k = 0; k < HF_LEN(kinds) && !lost; k++) {
            const json_t *kind = json_object_get(one, kinds[k]);
            if (!hf_json_bool_or(kind, "synced", false) && !hf_json_bool_or(kind, "lost", false))
                return false;
        }
    }
    return true;
}

static void on_change(void *arg)
{
    struct top *top = arg;

    if (top->timer == NULL)
        return;
    if (top->live) {
        uint64_t since = hf_mono_ns(top->cli->clock) - top->drawn_ns;
        wait_for(top, since < DRAW_NS ? DRAW_NS - since : 1);
    } else if (is_whole(top)) {
        stop(top);
    }
}

static void on_warning(void *arg, const char *line)
{
    const struct top *top = arg;

    if (!top->live)
        hf_cli_print_line(top->cli->err, "%s", line);
}

/* ---- the terminal ------------------------------------------------------------------------------------------------ */

static void on_keys(void *arg)
{
    struct top *top = arg;
    char bytes[256];
    ssize_t n = read(top->cli->in_fd, bytes, sizeof(bytes));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || !hf_ui_screen_input(&top->screen, bytes, (size_t)n))
        stop(top);
    else
        redraw(top);
}

static int enter(struct top *top, struct hf_err *err)
{
    struct hf_loop *loop = hf_ui_follow_loop(top->follow);
    struct termios raw;

    if (tcgetattr(top->cli->in_fd, &top->before) < 0)
        return hf_err_set(err, errno, "the terminal tells nothing about itself");
    raw = top->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    if (tcsetattr(top->cli->in_fd, TCSADRAIN, &raw) < 0)
        return hf_err_set(err, errno, "the terminal takes no settings");
    top->live = true;
    (void)fputs(ENTER, top->cli->out);
    int r = hf_loop_on_signal(loop, SIGWINCH, redraw, top);
    return r == 0 ? hf_loop_watch_fd(loop, top->cli->in_fd, true, false, on_keys, top, &top->keys) : r;
}

static void leave(struct top *top)
{
    if (!top->live)
        return;
    hf_loop_unwatch_fd(&top->keys);
    (void)fputs(LEAVE, top->cli->out);
    (void)fflush(top->cli->out);
    (void)tcsetattr(top->cli->in_fd, TCSADRAIN, &top->before);
    top->live = false;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int open_all(struct top *top, const struct hf_cli_args *args, struct hf_err *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct hf_ui_follow_params params = {.cli = top->cli,
                                               .args = args,
                                               .board = top->board,
                                               .without_labels = "the map has no sites",
                                               .warned = on_warning,
                                               .changed = on_change,
                                               .arg = top};
    int r = hf_ui_follow_open(&params, &top->follow, err);

    if (r < 0)
        return r;
    top->timer = hf_timer_new(hf_loop_sched(hf_ui_follow_loop(top->follow)), on_time, top);
    if (top->timer == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < HF_LEN(signals) && r == 0; i++)
        r = hf_loop_on_signal(hf_ui_follow_loop(top->follow), signals[i], stop, top);
    if (r == 0 && top->cli->out_terminal && isatty(top->cli->in_fd) == 1)
        r = enter(top, err);
    wait_for(top, top->live ? 1 : PATIENCE_NS);
    return r;
}

int hf_cli_top(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct top top = {.cli = cli, .board = hf_ui_board_new(), .screen = {.colour = cli->colour}};

    hf_ui_model_init(&top.model);
    top.screen.model = &top.model;
    int r = top.board == NULL ? hf_err_set(err, ENOMEM, "out of memory") : open_all(&top, args, err);
    bool live = top.live;
    if (r == 0)
        r = hf_ui_follow_run(top.follow, err);
    if (r == 0 && !live)
        top.r = draw(&top);
    leave(&top);
    if (r == 0 && top.r < 0)
        r = hf_err_set(err, -top.r, "the picture cannot be drawn");
    if (top.timer != NULL) {
        const struct hf_sched_ops *sched = hf_loop_sched(hf_ui_follow_loop(top.follow));
        hf_timer_free(sched, hf_steal(top.timer));
    }
    hf_ui_follow_close(top.follow);
    hf_ui_model_done(&top.model);
    hf_ui_board_free(top.board);
    return r;
}
