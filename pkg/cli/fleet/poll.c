/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/poll.h"

#include <errno.h>

#include "base/buf.h"
#include "base/format.h"
#include "cli/fleet/output.h"
#include "cli/parts.h"
#include "cli/plain.h"

enum { BAR = 23, LINE = 2048 };

int hf_poll_begin(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_poll *ret_poll, struct hf_err *err)
{
    struct hf_poll poll = {.cli = cli, .json = hf_cli_flag(args, "json"), .end_mono_ns = UINT64_MAX};
    const char *timeout = hf_cli_value(args, "timeout", NULL);
    uint64_t limit = 0;
    int r = timeout != NULL ? hf_cli_duration("timeout", timeout, &limit, err) : 0;

    if (r == 0 && timeout != NULL)
        poll.end_mono_ns = hf_mono_ns(cli->clock) + limit;
    if (r == 0)
        r = hf_cluster_open(cli, args, &poll.cluster, err);
    if (r < 0)
        return r;
    poll.last = json_object();
    *ret_poll = poll;
    return 0;
}

void hf_poll_end(struct hf_poll *poll)
{
    hf_cluster_close(poll->cluster);
    json_decref(poll->last);
}

int hf_poll_judge(struct hf_poll *poll, int r, const struct hf_err *err)
{
    switch (-r) {
    case 0:
        poll->away = false;
        return 0;
    case EACCES:
    case ENOENT:
    case EIO:
    case EINVAL:
    case ENOMEM:
    case E2BIG:
        return r;
    default:
        break;
    }
    if (!poll->away)
        hf_cli_print_line(poll->cli->err, "%s; trying again", HF_ERR_TEXT(err));
    poll->away = true;
    return 1;
}

static int print_once(struct hf_poll *poll, const char *name, const char *line, bool with_time, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *text = hf_cli_json_text(line);
    char time[HF_TIME_TEXT];

    if (text != NULL && json_equal(json_object_get(poll->last, name), text))
        return 0;
    if (name[0] == '\0')
        (void)json_object_clear(poll->last);
    else
        (void)json_object_del(poll->last, "");
    if (json_object_set(poll->last, name, text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (with_time)
        (void)fprintf(poll->cli->out, "%s  ", hf_format_time(hf_unix_ns(poll->cli->clock), time));
    (void)fprintf(poll->cli->out, "%s\n", json_string_value(text));
    return hf_cli_flush(poll->cli, err);
}

int hf_poll_say(struct hf_poll *poll, const char *name, const char *line, struct hf_err *err)
{
    if (!poll->json)
        return print_once(poll, name, line, true, err);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * LINE);
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:o}", "message", hf_cli_json_text(line));
    if (json == NULL || hf_json_format(json, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return print_once(poll, name, hf_buf_str(&text), false, err);
}

static int print_json(struct hf_poll *poll, const struct hf_update_view *view, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_json_freep) json_t *json = hf_update_view_json(view);

    if (json == NULL || hf_json_format(json, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return print_once(poll, view->name, hf_buf_str(&text), false, err);
}

int hf_poll_print(struct hf_poll *poll, const struct hf_update_view *view, struct hf_err *err)
{
    const struct hf_output_bar drawn = {view->selected, view->updated, view->updating, view->failed, view->unknown};
    char bar[BAR], line[LINE], held[32] = "";

    if (poll->json)
        return print_json(poll, view, err);
    if (view->held > 0)
        (void)snprintf(held, sizeof(held), ", held %lld", (long long)view->held);
    if (view->counted)
        (void)snprintf(line, sizeof(line),
                       "%s %s  %s  %s  updated %lld/%lld, updating %lld, failed %lld, away %lld%s  %s%s%s",
                       view->release, view->version, view->stage[0] != '\0' ? view->stage : "-",
                       hf_output_draw(&drawn, bar, sizeof(bar)), (long long)view->updated, (long long)view->selected,
                       (long long)view->updating, (long long)view->failed, (long long)(view->unknown - view->held),
                       held, hf_update_view_reason(view), view->message[0] != '\0' ? ": " : "", view->message);
    else
        (void)snprintf(line, sizeof(line), "%s %s  %s: %s", view->release, view->version, view->reason, view->message);
    return print_once(poll, view->name, line, true, err);
}

bool hf_poll_pause(struct hf_poll *poll, uint64_t period_ns)
{
    uint64_t now = hf_mono_ns(poll->cli->clock);

    if (now >= poll->end_mono_ns)
        return false;
    hf_cluster_sleep(poll->cluster, HF_MIN(period_ns, poll->end_mono_ns - now));
    return true;
}
