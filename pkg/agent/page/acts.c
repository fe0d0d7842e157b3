/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/page/acts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/page/act.h"
#include "codec/json.h"
#include "web/page.h"
#include "web/page_token.h"

enum { MAX_OUTPUT = 64 << 10, MAX_BUNDLE = 4 << 20, MAX_HEADER = 128, MAX_WHO = 48 };
#define LIMIT_NS (60 * HF_NS_PER_S)
#define BUNDLE_LIMIT_NS (240 * HF_NS_PER_S) /* below HF_SERVER_ANSWER_S */

struct hf_page_acts {
    const struct hf_agent_page_params *params;
    struct hf_page_guesses guesses;
    struct hf_proc_call *call; /* of `exchange` */
    struct hf_server_exchange *exchange;
    enum hf_page_act_kind kind;
    char who[MAX_WHO];
};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void answer_as(struct hf_server_exchange *exchange, int status, const char *type, struct hf_view body)
{
    struct hf_server_reply reply = {.status = status};

    hf_page_protect(&reply);
    hf_server_answer(exchange, status, type, reply.extra_headers, body);
}

/* {"error": TEXT}, or the pairs of `json`, which it takes. */
static void answer(struct hf_server_exchange *exchange, int status, json_t *json)
{
    _cleanup_(hf_json_freep) json_t *body = json;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(8 * MAX_OUTPUT);

    if (body == NULL || hf_json_format(body, &text) < 0)
        answer_as(exchange, 500, "application/json", HF_VIEW("{\"error\":\"out of memory\"}\n"));
    else
        answer_as(exchange, status, "application/json", hf_buf_view(&text));
}

static void refuse(struct hf_server_exchange *exchange, int status, const char *why)
{
    answer(exchange, status, json_pack("{s:s}", "error", why));
}

/* ---- who --------------------------------------------------------------------------------------------------------- */

static void name_peer(const struct hf_peer *peer, char who[MAX_WHO])
{
    const char *way = peer->over_unix ? "the socket" : "loopback";

    if (peer->has_uid)
        (void)snprintf(who, MAX_WHO, "uid %u by the page over %s", peer->uid, way);
    else
        (void)snprintf(who, MAX_WHO, "somebody by the page over %s", way);
}

/* 0, or a status and *ret_why. */
static int check_token(struct hf_page_acts *acts, const struct hf_server_request *request, const char **ret_why)
{
    const struct hf_agent_page_params *p = acts->params;
    uint64_t now = hf_mono_ns(p->world.clock);
    struct hf_page_token token;
    char given[MAX_HEADER];

    if (!hf_page_guesses_may(&acts->guesses, request->peer->key, now)) {
        *ret_why = "too many wrong tokens: try again in a minute";
        return 429;
    }
    bool whole = hf_server_header(request, HF_PAGE_TOKEN_HEADER, given, sizeof(given));
    if (whole && given[0] == '\0') {
        *ret_why = "an act needs the token that sudo holdfast node page prints";
        return 401;
    }
    int r = hf_page_token_load(p->world.fs, p->world.clock, p->run_dir, &token, NULL);
    if (r == 0 && whole && hf_page_token_is(token.text, hf_view_of(given)))
        return 0;
    hf_page_guesses_wrong(&acts->guesses, request->peer->key, now);
    p->acts.audited(p->acts.arg, acts->who, "TokenWrong", NULL);
    *ret_why = r == -ESTALE || r == -ENOENT ? "the token has ended: sudo holdfast node page prints a new one"
                                            : "the token is wrong: sudo holdfast node page prints a new one";
    return 403;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static void audit(const struct hf_page_acts *acts, const char *reason, const char *what)
{
    char message[HF_PAGE_ACT_COMMAND + MAX_WHO];

    (void)snprintf(message, sizeof(message), "%s: %s", acts->who, what);
    acts->params->acts.audited(acts->params->acts.arg, hf_page_act_name(acts->kind), reason, message);
}

static void ended(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_page_acts *acts = arg;
    struct hf_server_exchange *exchange = hf_steal(acts->exchange);
    bool cut = acts->kind == HF_PAGE_SUPPORT && output.n >= MAX_BUNDLE;
    char what[64];

    acts->call = NULL;
    (void)snprintf(what, sizeof(what), r < 0 ? "it took too long" : "exit code %d", exit_code);
    audit(acts, r == 0 && exit_code == 0 ? "Done" : "Failed", what);
    if (r < 0 || cut) {
        refuse(exchange, 500, r < 0 ? "the command took too long" : "the bundle is longer than 4 MiB: run the command");
        return;
    }
    if (acts->kind == HF_PAGE_SUPPORT && exit_code == 0) {
        answer_as(exchange, 200, "text/plain; charset=utf-8", output);
        return;
    }
    answer(exchange, 200,
           json_pack("{s:i, s:o}", "exitCode", exit_code, "output",
                     json_stringn(output.p != NULL ? output.p : "", output.n)));
}

static int spawn(struct hf_page_acts *acts, const struct hf_page_act *act, struct hf_err *err)
{
    const struct hf_agent_page_params *p = acts->params;
    const char *argv[1 + HF_PAGE_ACT_WORDS + 1] = {p->acts.program};
    char logname[MAX_WHO + 8];
    const char *env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", logname,
                         NULL};
    bool bundle = act->kind == HF_PAGE_SUPPORT;

    (void)snprintf(logname, sizeof(logname), "LOGNAME=%s", acts->who);
    for (unsigned i = 0; i < act->n; i++)
        argv[i + 1] = act->words[i];
    const struct hf_proc_request request = {.argv = argv,
                                            .env = env,
                                            .timeout_ns = bundle ? BUNDLE_LIMIT_NS : LIMIT_NS,
                                            .max_output = bundle ? MAX_BUNDLE : MAX_OUTPUT,
                                            .done = ended,
                                            .arg = acts};
    return p->acts.proc->spawn(p->acts.proc->ctx, &request, &acts->call, err);
}

static void run(struct hf_page_acts *acts, const struct hf_page_act *act, const char *command,
                struct hf_server_exchange *exchange)
{
    const struct hf_agent_page_params *p = acts->params;
    struct hf_err err = HF_ERR_INIT;

    acts->kind = act->kind;
    audit(acts, "Asked", command);
    if (act->kind == HF_PAGE_RETRY) {
        p->acts.retry(p->acts.arg);
        audit(acts, "Done", "the agent asks its server again");
        answer(exchange, 200, json_pack("{s:i, s:s}", "exitCode", 0, "output", "the agent asks its server again\n"));
        return;
    }
    if (p->acts.program == NULL || spawn(acts, act, &err) < 0) {
        audit(acts, "Failed", "the command did not start");
        refuse(exchange, 500, "the program holdfast does not start: is it installed beside holdfast-agent?");
        return;
    }
    acts->exchange = exchange;
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static bool is_json(struct hf_view type)
{
    struct hf_view first;

    return hf_view_split(&type, ';', &first) && hf_view_eq(hf_view_trim(first), "application/json");
}

void hf_page_acts_start(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    struct hf_page_acts *acts = arg;
    const struct hf_agent_page_params *p = acts->params;
    char command[HF_PAGE_ACT_COMMAND], who[MAX_WHO];
    struct hf_err err = HF_ERR_INIT;
    struct hf_page_act act;
    const char *why;

    if (hf_config_page(p->configuration->now) != HF_CONFIG_PAGE_ACT) {
        refuse(exchange, 403, "the page only reads: page: Act in agent.yaml allows acts");
        return;
    }
    if (!is_json(request->content_type) || request->content_encoding.n > 0) {
        refuse(exchange, 415, "an act is application/json");
        return;
    }
    if (acts->exchange != NULL) {
        refuse(exchange, 409, "another act still runs");
        return;
    }
    name_peer(request->peer, who);
    memcpy(acts->who, who, sizeof(who));
    int status = check_token(acts, request, &why);
    if (status != 0) {
        refuse(exchange, status, why);
        return;
    }
    if (hf_page_act_parse(request->body, p->state_dir, p->run_dir, &act, &err) < 0) {
        refuse(exchange, 400, HF_ERR_TEXT(&err));
        return;
    }
    (void)hf_page_act_command(&act, command, sizeof(command));
    if (act.confirmed)
        run(acts, &act, command, exchange);
    else
        answer(exchange, 200, json_pack("{s:s}", "command", command));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_page_acts *hf_page_acts_new(const struct hf_agent_page_params *params)
{
    struct hf_page_acts *acts = calloc(1, sizeof(*acts));

    if (acts != NULL)
        acts->params = params;
    return acts;
}

void hf_page_acts_free(struct hf_page_acts *acts)
{
    if (acts == NULL)
        return;
    if (acts->call != NULL)
        acts->params->acts.proc->cancel(acts->params->acts.proc->ctx, acts->call);
    if (acts->exchange != NULL)
        refuse(acts->exchange, 503, "the agent stops");
    free(acts);
}
