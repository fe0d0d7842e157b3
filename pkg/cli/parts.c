/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/text.h"
#include "base/buf.h"
#include "base/encoding/plain.h"
#include "base/format.h"
#include "base/parse.h"
#include "cli/plain.h"

int hf_cli_read_objects(struct hf_cli *cli, const char *path, json_t **ret_array, struct hf_buf *text,
                        struct hf_err *err)
{
    const struct hf_json_limits limits = {.max_bytes = HF_CLI_OBJECT_BYTES};
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    int r = hf_cli_map_open(cli, path, HF_CLI_OBJECT_BYTES, &map, err);

    if (r < 0)
        return r;
    struct hf_view view = {map.p, map.n};
    r = hf_yaml_parse_all(view, &limits, ret_array, err); /* JSON is YAML too */
    if (r < 0)
        return hf_err_wrap(err, r, "%s", path);
    if (text != NULL && hf_buf_add(text, map.p, map.n) < 0) {
        json_decref(hf_steal(*ret_array));
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    return 0;
}

int hf_cli_read_update(struct hf_cli *cli, const char *path, json_t **ret_update, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *array = NULL;
    int r = hf_cli_read_objects(cli, path, &array, NULL, err);

    if (r < 0)
        return r;
    if (json_array_size(array) != 1)
        return hf_err_set(err, EBADMSG, "%s: holds %zu objects, expected one EdgeUpdate", path, json_array_size(array));
    json_t *object = json_array_get(array, 0);
    if (strcmp(hf_json_str_or(object, "kind", ""), "EdgeUpdate") != 0)
        return hf_err_set(err, EBADMSG, "%s: kind is '%.40s', expected EdgeUpdate", path,
                          hf_json_str_or(object, "kind", ""));
    *ret_update = json_incref(object);
    return 0;
}

void hf_cli_print_issues(struct hf_cli *cli, const char *path, const struct hf_issues *issues)
{
    for (size_t i = 0; i < HF_MIN(issues->n_errors, (size_t)HF_API_MAX_ISSUES); i++)
        hf_cli_print_line(cli->err, "%s: %s: %s", path, issues->errors[i].path, issues->errors[i].text);
    if (issues->n_errors > HF_API_MAX_ISSUES)
        hf_cli_print_line(cli->err, "%s: and %zu more", path, issues->n_errors - HF_API_MAX_ISSUES);
    for (size_t i = 0; i < HF_MIN(issues->n_warnings, (size_t)HF_API_MAX_ISSUES); i++)
        hf_cli_print_line(cli->err, "%s: warning: %s: %s", path, issues->warnings[i].path, issues->warnings[i].text);
}

int hf_cli_decode_update(struct hf_cli *cli, const char *path, json_t *json, struct hf_edgeupdate **ret_update,
                         struct hf_err *err)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));

    if (issues == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_edgeupdate_decode(json, ret_update, issues);
    hf_cli_print_issues(cli, path, issues);
    if (r < 0)
        r = hf_err_set(err, -r, "%s: %zu %s; a node would refuse it", path, issues->n_errors,
                       hf_noun(issues->n_errors, "error", "errors"));
    free(issues);
    return r;
}

size_t hf_cli_count(const struct hf_cli_args *args, const char *name)
{
    size_t n = 0;

    while (hf_cli_nth_value(args, name, n) != NULL)
        n++;
    return n;
}

int hf_cli_update_roots(const struct hf_cli_args *args, const char *roots[HF_CLI_MAX_ROOTS + 1], struct hf_err *err)
{
    size_t given = hf_cli_count(args, "update-root");

    if (given > HF_CLI_MAX_ROOTS)
        return hf_err_set(err, EINVAL, "more than %d --update-root", HF_CLI_MAX_ROOTS);
    for (size_t i = 0; i < given; i++) {
        roots[i] = hf_cli_nth_value(args, "update-root", i);
        roots[i + 1] = NULL;
        if (!hf_text_is_path(roots[i]))
            return hf_err_set(err, EINVAL, "--update-root: '%.80s' is not an absolute path without . and .. and //",
                              roots[i]);
    }
    return 0;
}

int hf_cli_read_labels(const struct hf_cli_args *args, json_t *labels, struct hf_err *err)
{
    for (size_t i = 0; i < hf_cli_count(args, "label"); i++) {
        const char *text = hf_cli_nth_value(args, "label", i), *equals = strchr(text, '=');
        if (equals == NULL || equals == text)
            return hf_err_set(err, EINVAL, "--label '%.80s': expected KEY=VALUE", text);
        _cleanup_(hf_freep) char *key = hf_view_dup((struct hf_view){text, (size_t)(equals - text)});
        if (key == NULL || json_object_set_new(labels, key, json_string(equals + 1)) < 0)
            return hf_err_set(err, EINVAL, "--label '%.80s': not UTF-8, or out of memory", text);
    }
    return 0;
}

int hf_cli_duration(const char *option, const char *text, uint64_t *ret_ns, struct hf_err *err)
{
    size_t n = strlen(text);
    char days[24];
    uint64_t value;

    if (n > 1 && n < sizeof(days) && text[n - 1] == 'd') {
        (void)snprintf(days, sizeof(days), "%.*s", (int)(n - 1), text);
        if (hf_parse_u64(days, 0, 36500, &value) == 0) {
            *ret_ns = value * 24 * 3600 * HF_NS_PER_S;
            return 0;
        }
    }
    if (hf_parse_duration(text, ret_ns) == 0)
        return 0;
    return hf_err_set(err, EINVAL, "--%s: '%.40s' is not a duration (90d, 12h, 1h30m)", option, text);
}

json_t *hf_cli_json_text(const char *text)
{
    _cleanup_(hf_freep) char *plain = strdup(text);

    if (plain == NULL)
        return NULL;
    hf_cli_plain_text(plain);
    return json_string(plain);
}

int hf_cli_put(json_t *object, const char *path, json_t *value, struct hf_err *err)
{
    int r = value != NULL ? hf_json_put(object, path, value) : -ENOMEM;

    if (r == -ENOTDIR)
        return hf_err_set(err, EBADMSG, "%s: a field on this path is not an object", path);
    return r < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

int hf_cli_append(json_t *array, json_t *value, struct hf_err *err)
{
    return json_array_append_new(array, value) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

int hf_cli_print_json(struct hf_cli *cli, const json_t *json, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);

    if (hf_json_format(json, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return hf_cli_print_json_text(cli, hf_buf_view(&text), err);
}

int hf_cli_print_json_text(struct hf_cli *cli, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf plain = HF_BUF_INIT(6 * text.n);

    if (cli->out_terminal && hf_plain_json(text.p, text.n, &plain) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    text = cli->out_terminal ? hf_buf_view(&plain) : text;
    (void)fwrite(text.p, 1, text.n, cli->out);
    return fputc('\n', cli->out) == EOF ? hf_err_sys(err, -EIO, "write standard output") : 0;
}

int hf_cli_print_content(struct hf_cli *cli, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_freep) char *plain = cli->out_terminal ? malloc(text.n + 1) : NULL;

    if (cli->out_terminal && plain == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (plain != NULL)
        text = (struct hf_view){plain, hf_plain_bytes(text.p, text.n, "\n\t", plain)};
    return fwrite(text.p, 1, text.n, cli->out) == text.n ? 0 : hf_err_sys(err, -EIO, "write standard output");
}
