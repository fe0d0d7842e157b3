/* SPDX-License-Identifier: Apache-2.0 */
/* node enrol: gives an agent on a host a server, its CA and a token for its first certificate, by hand. Files alone:
 * the agent reads them within a minute, and asks for the certificate itself. The kubeconfig comes last, so that after a
 * power cut it never names a file that is not there. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "cli/parts.h"
#include "kube/rules/bound_token.h"
#include "loop/http/url.h"
#include "os/dir.h"
#include "os/file.h"

enum { MAX_CA = 256 << 10 };

#define DEFAULT_DIR "/etc/holdfast"

const struct hf_cli_option hf_cli_node_enrol_options[] = {
    HF_CLI_OPTION("server", "URL", "API server (https://)", .required = true),
    HF_CLI_OPTION("token-file", "FILE", "token bound to this Node; '-': standard input", .required = true),
    HF_CLI_OPTION("ca-file", "FILE", "certificate authority of the API server (PEM)", .required = true),
    HF_CLI_OPTION("node-name", "NAME", "name of this node (the host's name)"),
    HF_CLI_OPTION("dir", "DIR", "where the agent has its kubeconfig (" DEFAULT_DIR ")"),
    {.name = NULL},
};

struct enrolment {
    const char *dir, *server;
    char node[256], path[3][512]; /* ca.crt, token, kubeconfig */
    struct hf_buf ca, token;
    struct hf_bound_token says;
};

static int read_small(struct hf_cli *cli, const char *path, size_t max, struct hf_buf *out, struct hf_err *err)
{
    struct hf_cli_map map;
    int r = hf_cli_map_open(cli, path, max, &map, err);

    if (r < 0)
        return r;
    struct hf_view text = hf_view_trim((struct hf_view){map.p, map.n});
    r = hf_buf_add(out, text.p, text.n) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
    hf_cli_map_done(&map);
    return r;
}

static int find_node(const struct hf_cli_args *args, char node[256], struct hf_err *err)
{
    const char *given = hf_cli_value(args, "node-name", NULL);

    if (given == NULL && gethostname(node, 255) < 0)
        return hf_err_sys(err, -errno, "read the host's name");
    if (given != NULL && snprintf(node, 256, "%s", given) >= 256)
        return hf_err_set(err, EINVAL, "--node-name is too long");
    for (char *c = node; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    return 0;
}

/* The controller would deny the request of a token that is of another node, or of none. */
static int check_token(struct hf_cli *cli, struct enrolment *e, struct hf_err *err)
{
    uint64_t now_s = hf_unix_ns(cli->clock) / HF_NS_PER_S;
    char when[HF_TIME_TEXT];
    int r = hf_bound_token_read(hf_buf_view(&e->token), &e->says, err);

    if (r < 0)
        return hf_err_wrap(err, r, "--token-file");
    if (e->says.node[0] == '\0')
        return hf_err_set(err, EBADMSG,
                          "--token-file: the token is bound to no node: make one with `kubectl create token "
                          "holdfast-agent --bound-object-kind=Node --bound-object-name=%.100s`",
                          e->node);
    if (strcmp(e->says.node, e->node) != 0)
        return hf_err_set(err, EBADMSG, "--token-file: the token is for the node %.100s, and this one is %.100s",
                          e->says.node, e->node);
    if (e->says.expiry_unix_s != 0 && e->says.expiry_unix_s <= now_s)
        return hf_err_set(err, EBADMSG, "--token-file: the token ended at %s by this node's clock: make a new one",
                          hf_format_time(e->says.expiry_unix_s * HF_NS_PER_S, when));
    return 0;
}

/* Whatever would break the kubeconfig's text is no address or folder. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= 0x20 || *text == 0x7f || *text == '"' || *text == '\\')
            return false;
    return true;
}

static int check_words(struct enrolment *e, struct hf_err *err)
{
    struct hf_url_parts to;
    int r = hf_url_split(e->server, &to, err);

    if (r < 0)
        return hf_err_wrap(err, -EINVAL, "--server");
    if (strncmp(e->server, "https://", 8) != 0 || !is_plain(e->server))
        return hf_err_set(err, EINVAL, "--server: expected an https:// URL: a token goes there");
    if (e->dir[0] != '/' || !is_plain(e->dir) || strlen(e->dir) > 400)
        return hf_err_set(err, EINVAL, "--dir: expected an absolute path");
    if (strstr(hf_buf_str(&e->ca), "-----BEGIN CERTIFICATE-----") == NULL)
        return hf_err_set(err, EBADMSG, "--ca-file: it has no certificate (PEM)");
    return 0;
}

static int write_files(struct hf_cli *cli, struct enrolment *e, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(8192);
    int r = hf_buf_addf(&text,
                        "apiVersion: v1\nkind: Config\ncurrent-context: agent\n"
                        "clusters: [{name: site, cluster: {server: \"%s\", certificate-authority: \"%s\"}}]\n"
                        "users: [{name: agent, user: {tokenFile: \"%s\"}}]\n"
                        "contexts: [{name: agent, context: {cluster: site, user: agent}}]\n",
                        e->server, e->path[0], e->path[1]);

    if (r < 0 || hf_buf_add_str(&e->ca, "\n") < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = hf_dir_make(cli->fs, e->dir, 0755, err);
    if (r == 0)
        r = hf_file_replace(cli->fs, e->path[0], e->ca.p, e->ca.n, 0644, err);
    if (r == 0)
        r = hf_file_replace(cli->fs, e->path[1], e->token.p, e->token.n, 0600, err);
    return r == 0 ? hf_file_replace(cli->fs, e->path[2], text.p, text.n, 0600, err) : r;
}

static int enrol(struct hf_cli *cli, const struct hf_cli_args *args, struct enrolment *e, struct hf_err *err)
{
    static const char *const names[] = {"ca.crt", "token", "kubeconfig"};
    int r = find_node(args, e->node, err);

    if (r == 0)
        r = read_small(cli, hf_cli_value(args, "ca-file", ""), MAX_CA, &e->ca, err);
    if (r == 0)
        r = check_words(e, err);
    if (r == 0)
        r = read_small(cli, hf_cli_value(args, "token-file", ""), HF_BOUND_TOKEN_MAX_BYTES, &e->token, err);
    if (r == 0)
        r = check_token(cli, e, err);
    for (size_t i = 0; r == 0 && i < HF_LEN(names); i++)
        (void)snprintf(e->path[i], sizeof(e->path[i]), "%s/%s", e->dir, names[i]);
    return r == 0 ? write_files(cli, e, err) : r;
}

int hf_cli_node_enrol(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct enrolment e = {.dir = hf_cli_value(args, "dir", DEFAULT_DIR),
                          .server = hf_cli_value(args, "server", ""),
                          .ca = HF_BUF_INIT(MAX_CA + 1),
                          .token = HF_BUF_INIT(HF_BOUND_TOKEN_MAX_BYTES)};
    char until[HF_TIME_TEXT];
    int r = enrol(cli, args, &e, err);

    if (r == 0)
        (void)fprintf(cli->out, "%s: server, token and CA of %s; the agent has until %s to ask for its certificate\n",
                      e.path[2], e.node,
                      e.says.expiry_unix_s != 0 ? hf_format_time(e.says.expiry_unix_s * HF_NS_PER_S, until)
                                                : "the token's end");
    hf_buf_done(&e.ca);
    hf_buf_wipe(&e.token);
    return r == -EACCES || r == -EPERM ? hf_err_wrap(err, r, "only root may enrol this node") : r;
}
