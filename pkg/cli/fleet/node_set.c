/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/node_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "codec/plain.h"

enum { MAX_NODES = 1000000 };

/* ---- the set ----------------------------------------------------------------------------------------------------- */

/* "name\0value\0value\0". NULL: out of memory. */
static char *entry_of(const struct hf_node_set *set, json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf entry = HF_BUF_INIT(1 << 20);
    const json_t *mine = hf_json_at(object, "metadata.labels");
    struct hf_view rest = hf_view_of(set->labels != NULL ? set->labels : ""), one;
    const char *name = hf_json_str_or(object, "metadata.name", "");
    char key[HF_NODE_SET_KEY + 1];
    int r = hf_plain_tree(object);

    if (r == 0)
        r = hf_buf_add(&entry, name, strlen(name) + 1);
    while (r == 0 && set->labels != NULL && hf_view_split(&rest, ',', &one)) {
        (void)snprintf(key, sizeof(key), "%.*s", (int)one.n, one.p);
        const char *value = json_string_value(json_object_get(mine, key));
        value = value != NULL ? value : "";
        r = hf_buf_add(&entry, value, strlen(value) + 1);
    }
    char *copy = r == 0 ? malloc(entry.n) : NULL;
    return copy != NULL ? memcpy(copy, entry.p, entry.n) : NULL;
}

static int add(void *arg, json_t *object, struct hf_err *err)
{
    struct hf_node_set *set = arg;

    if (hf_array_grow(set->names, set->n, set->cap, MAX_NODES) < 0)
        return hf_err_set(err, ENOMEM, "too many nodes");
    set->names[set->n] = entry_of(set, object);
    if (set->names[set->n] == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    set->n++;
    return 0;
}

static void forget(void *arg)
{
    hf_node_set_done(arg);
}

void hf_node_set_done(struct hf_node_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free(set->names[i]);
    free(set->names);
    *set = (struct hf_node_set){.labels = set->labels};
}

int hf_node_set_select(struct hf_cluster *cluster, const char *selector, const char *labels,
                       struct hf_node_set *ret_set, struct hf_err *err)
{
    struct hf_node_set set = {.labels = labels};
    int r = hf_cluster_each(
        cluster,
        &HF_CLUSTER_LIST("v1", "nodes", add, &set, .selector = selector, .metadata_only = true, .again = forget), err);

    if (r < 0) {
        hf_node_set_done(&set);
        return r;
    }
    if (set.n > 1)
        qsort(set.names, set.n, sizeof(*set.names), hf_array_by_string);
    *ret_set = set;
    return 0;
}

ssize_t hf_node_set_find(const struct hf_node_set *set, const char *name)
{
    size_t at = hf_array_lower_bound(i, set->n, strcmp(set->names[i], name) < 0);

    return at < set->n && strcmp(set->names[at], name) == 0 ? (ssize_t)at : -1;
}

const char *hf_node_set_label(const struct hf_node_set *set, size_t i, size_t k)
{
    const char *at = set->names[i];

    for (size_t skip = 0; skip <= k; skip++)
        at += strlen(at) + 1;
    return at;
}

/* ---- selectors --------------------------------------------------------------------------------------------------- */

static bool is_word(const char *text, size_t n, const char *more)
{
    for (size_t i = 0; i < n; i++)
        if (isalnum((unsigned char)text[i]) == 0 && strchr(more, text[i]) == NULL)
            return false;
    return n > 0;
}

static bool is_key(const char *text, size_t n)
{
    const char *slash = memchr(text, '/', n);

    if (slash == NULL)
        return n <= 63 && is_word(text, n, "-_.");
    size_t prefix = (size_t)(slash - text);
    return prefix <= 253 && is_word(text, prefix, "-.") && n - prefix - 1 <= 63 &&
           is_word(slash + 1, n - prefix - 1, "-_.");
}

/* Checks one requirement: key, !key, key=value, key==value, key!=value, "key in (a,b)", "key notin (a,b)". */
static bool requirement_ok(const char *text, size_t n)
{
    size_t key = 0, value;

    if (n > 0 && text[0] == '!')
        return is_key(text + 1, n - 1);
    while (key < n && strchr("=! ", text[key]) == NULL)
        key++;
    if (!is_key(text, key))
        return false;
    if (key == n)
        return true;
    if (text[key] == ' ') /* the server checks the sets */
        return n > 1 && text[n - 1] == ')' && memchr(text, '(', n) != NULL;
    if (text[key] == '!' && (key + 1 >= n || text[key + 1] != '='))
        return false;
    value = key + (text[key] == '!' || (key + 1 < n && text[key + 1] == '=') ? 2 : 1);
    return n - value <= 63 && (n == value || is_word(text + value, n - value, "-_."));
}

int hf_node_set_check(const char *option, const char *selector, struct hf_err *err)
{
    size_t begin = 0, n = strlen(selector);
    int depth = 0;

    for (size_t i = 0; i <= n; i++) {
        char c = selector[i];
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (c != '\0' && (c != ',' || depth > 0))
            continue;
        while (begin < i && selector[begin] == ' ')
            begin++;
        if (!requirement_ok(selector + begin, i - begin))
            return hf_err_set(err, EINVAL,
                              "%s: '%.*s' is not a label requirement (key=value, key!=value, key, !key, "
                              "'key in (a,b)')",
                              option, (int)HF_MIN(i - begin, (size_t)60), selector + begin);
        begin = i + 1;
    }
    return 0;
}

static int format_expression(const json_t *expression, struct hf_buf *out, struct hf_err *err)
{
    const char *key = hf_json_str_or(expression, "key", ""), *operator= hf_json_str_or(expression, "operator", "");
    const json_t *values = hf_json_at(expression, "values");
    bool in = strcmp(operator, "In") == 0, not_in = strcmp(operator, "NotIn") == 0;
    int r;

    if (strcmp(operator, "Exists") == 0)
        return hf_buf_addf(out, "%s", key);
    if (strcmp(operator, "DoesNotExist") == 0)
        return hf_buf_addf(out, "!%s", key);
    if (!in && !not_in)
        return hf_err_set(err, EINVAL, "spec.nodeSelector has the operator '%.40s'", operator);
    r = hf_buf_addf(out, "%s %s (", key, in ? "in" : "notin");
    for (size_t i = 0; r == 0 && i < json_array_size(values); i++)
        r = hf_buf_addf(out, "%s%s", i > 0 ? "," : "", json_string_value(json_array_get(values, i)));
    return r == 0 ? hf_buf_addf(out, ")") : r;
}

int hf_node_set_format(const json_t *node_selector, struct hf_buf *out, struct hf_err *err)
{
    const json_t *expressions = json_object_get(node_selector, "matchExpressions");
    json_t *labels = json_object_get(node_selector, "matchLabels");
    const char *key, *gap = "";
    json_t *value;
    int r = 0;

    json_object_foreach(labels, key, value) {
        r = r < 0 ? r : hf_buf_addf(out, "%s%s=%s", gap, key, json_string_value(value));
        gap = ",";
    }
    for (size_t i = 0; r == 0 && i < json_array_size(expressions); i++) {
        r = hf_buf_add_str(out, gap);
        if (r == 0)
            r = format_expression(json_array_get(expressions, i), out, err);
        gap = ",";
    }
    return r == -E2BIG || r == -ENOMEM ? hf_err_set(err, -r, "spec.nodeSelector is too long") : r;
}
