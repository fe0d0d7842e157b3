/* SPDX-License-Identifier: Apache-2.0 */
/* spool send: posts to a receiver what agents wrote into the folder of --export, and removes what it took.
 *
 * A file is removed after the receiver's 2xx, so a command that is cut short goes on the next time; what it posted
 * twice has the same Idempotency-Key. The medium is foreign: no link is followed, of a message only the path counts
 * (never its host), and the credentials go to --to alone. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/parts.h"
#include "cli/plain.h"
#include "loop/http/client.h"
#include "loop/http/url.h"
#include "loop/loop.h"
#include "os/file.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/sink/export_file.h"

enum { MAX_DEPTH = 3, MAX_PEM = 256 << 10, MAX_TOKEN = 4096, MAX_ANSWER = 64 << 10 };

#define TIMEOUT_NS (60 * HF_NS_PER_S)

const struct hf_cli_option hf_cli_spool_send_options[] = {
    HF_CLI_OPTION("to", "URL", "scheme, host and port of the receiver", .required = true),
    HF_CLI_OPTION("ca-file", "FILE", "certificate authority of the receiver (the system's)"),
    HF_CLI_OPTION("token-file", "FILE", "bearer token for the receiver"),
    HF_CLI_OPTION("keep", NULL, "keep the files that were sent"),
    {.name = NULL},
};

struct send {
    struct hf_cli *cli;
    struct hf_loop *loop;
    struct hf_http_client *http;
    struct hf_url_parts to;
    bool keep;
    uint64_t sent, refused, bytes;
    /* The answer in progress. */
    struct hf_retry_judgement judgement;
    struct hf_err answer;
};

static void answered(void *arg, int r, const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                     const struct hf_err *err)
{
    struct send *send = arg;

    send->judgement = hf_retry_judge(r, response, err);
    if (r < 0)
        send->answer = *err;
    else
        (void)hf_err_set(&send->answer, EPROTO, "the receiver answered %d", response->status);
    hf_loop_stop(send->loop);
}

static int post(struct send *send, const struct hf_export_message *message, struct hf_err *err)
{
    const struct hf_http_ops *http = hf_http_client_ops(send->http);
    _cleanup_(hf_freep) char *url = hf_asprintf("%s%.*s", send->to.origin, (int)message->target.n, message->target.p);
    char headers[HF_EXPORT_MAX_FIELDS][512];
    struct hf_http_request request = {.method = "POST",
                                      .url = url,
                                      .body = message->body,
                                      .timeout_ns = TIMEOUT_NS,
                                      .max_body_bytes = MAX_ANSWER,
                                      .done = answered,
                                      .arg = send};
    struct hf_http_call *call;
    size_t n = 0;

    for (size_t i = 0; i < HF_EXPORT_MAX_FIELDS; i++) {
        if (message->fields[i].n == 0)
            continue;
        (void)snprintf(headers[n], sizeof(headers[n]), "%s: %.*s", hf_export_file_fields[i],
                       (int)HF_MIN(message->fields[i].n, (size_t)400), message->fields[i].p);
        request.headers[n] = headers[n];
        n++;
    }
    if (url == NULL)
        return -ENOMEM;
    int r = http->start(http->ctx, &request, &call, err);
    if (r == 0)
        hf_loop_run(send->loop);
    return r;
}

/* 0: sent, or refused and counted; -errno: the others wait, too. */
static int send_file(struct send *send, const char *path, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_EXPORT_MAX_BYTES);
    struct hf_export_message message;
    int r = hf_file_read(send->cli->fs, path, &text, err);

    if (r == 0)
        r = hf_export_file_parse(hf_buf_view(&text), &message, err);
    if (r == -EBADMSG || r == -E2BIG) {
        hf_cli_print_line(send->cli->err, "left: '%s': %s", path, err->cause);
        *err = (struct hf_err)HF_ERR_INIT;
        send->refused++;
        return 0;
    }
    if (r == 0)
        r = post(send, &message, err);
    if (r < 0)
        return hf_err_wrap(err, r, "send '%s'", path);
    if (send->judgement.verdict == HF_RETRY_REFUSED || send->judgement.verdict == HF_RETRY_TOO_LARGE) {
        hf_cli_print_line(send->cli->err, "left: '%s': %s", path, send->answer.cause);
        send->refused++;
        return 0;
    }
    if (send->judgement.verdict != HF_RETRY_DELIVERED) {
        *err = send->answer;
        return hf_err_wrap(err, -err->code, "send '%s'", path);
    }
    send->sent++;
    send->bytes += message.body.n;
    return send->keep ? 0 : hf_file_remove(send->cli->fs, path, err);
}

static bool is_message(const char *name)
{
    size_t n = strlen(name), end = strlen(HF_EXPORT_ENDING);

    return n > end && strcmp(name + n - end, HF_EXPORT_ENDING) == 0;
}

static int send_below(struct send *send, const char *dir, unsigned depth, struct hf_err *err);

static int send_entry(struct send *send, const char *path, const char *name, unsigned depth, struct hf_err *err)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : hf_err_sys(err, -errno, "look at '%s'", path);
    if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
        return send_below(send, path, depth + 1, err);
    return S_ISREG(st.st_mode) && is_message(name) ? send_file(send, path, err) : 0;
}

/* In the order of names, with numbers as numbers: older requests first. */
static int send_below(struct send *send, const char *dir, unsigned depth, struct hf_err *err)
{
    struct dirent **entries = NULL;
    int r = 0, n = scandir(dir, &entries, NULL, versionsort);

    if (n < 0)
        return hf_err_sys(err, -errno, "read '%s'", dir);
    for (int i = 0; i < n; i++) {
        _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", dir, entries[i]->d_name);
        if (r == 0 && entries[i]->d_name[0] != '.')
            r = path != NULL ? send_entry(send, path, entries[i]->d_name, depth, err) : -ENOMEM;
        free(entries[i]);
    }
    free(entries);
    return r;
}

static int read_text(struct hf_cli *cli, const char *path, struct hf_buf *text, struct hf_err *err)
{
    return path != NULL ? hf_cli_read_whole(cli, path, text, err) : 0;
}

static int open_client(struct send *send, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf ca = HF_BUF_INIT(MAX_PEM);
    _cleanup_(hf_buf_wipe) struct hf_buf token = HF_BUF_INIT(MAX_TOKEN);
    const char *ca_file = hf_cli_value(args, "ca-file", NULL), *token_file = hf_cli_value(args, "token-file", NULL);
    int r = read_text(send->cli, ca_file, &ca, err);

    if (r == 0)
        r = read_text(send->cli, token_file, &token, err);
    if (r < 0)
        return r;
    while (token.n > 0 && (token.p[token.n - 1] == '\n' || token.p[token.n - 1] == '\r'))
        token.p[--token.n] = '\0';
    const struct hf_http_config config = {.user_agent = "holdfast/" HF_VERSION,
                                          .ca_pem = ca_file != NULL ? hf_buf_str(&ca) : NULL,
                                          .bearer_token = token_file != NULL ? hf_buf_str(&token) : NULL,
                                          .origin = send->to.origin};
    send->loop = hf_loop_new(err);
    send->http = send->loop != NULL ? hf_http_client_new(send->loop, &config, err) : NULL;
    return send->http != NULL ? 0 : -err->code;
}

/* Only the origin: the path is the sink's. */
static int take_target(struct send *send, const char *url, struct hf_err *err)
{
    const char *host = strstr(url, "://");
    const char *path = host != NULL ? strpbrk(host + 3, "/?#") : NULL;
    int r = hf_url_split(url, &send->to, err);

    if (r == 0 && path != NULL && strcmp(path, "/") != 0)
        r = hf_err_set(err, EINVAL, "--to: expected scheme, host and port alone, since each file has its path");
    if (r == 0 && !send->to.https && !send->to.loopback)
        r = hf_err_set(err, EINVAL, "--to: expected an https: URL, or http: to this machine");
    return r;
}

int hf_cli_spool_send(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct send send = {.cli = cli, .keep = hf_cli_flag(args, "keep"), .answer = HF_ERR_INIT};
    char size[HF_CLI_BYTES_TEXT];

    if (take_target(&send, hf_cli_value(args, "to", ""), err) < 0) {
        hf_cli_print_line(cli->err, "%s: %s", cli->program, err->cause);
        return HF_EXIT_USAGE;
    }
    int r = open_client(&send, args, err);
    if (r == 0)
        r = send_below(&send, args->words[0], 0, err);
    hf_http_client_free(send.http);
    hf_loop_free(send.loop);
    (void)fprintf(cli->out, "sent %llu %s (%s)%s\n", (unsigned long long)send.sent,
                  send.sent == 1 ? "request" : "requests", hf_cli_bytes(send.bytes, size),
                  send.sent > 0 && send.keep ? ", kept" : "");
    if (r < 0)
        return r;
    return send.refused > 0 ? HF_EXIT_REFUSED : HF_EXIT_OK;
}
