/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ui/model.h"

#include <errno.h>
#include <string.h>

#include "base/asprintf.h"

static void free_row(void *value)
{
    json_decref(value);
}

void hf_ui_model_init(struct hf_ui_model *model)
{
    *model = (struct hf_ui_model){
        .nodes = {.free_value = free_row}, .labels = {.free_value = free_row}, .updates = {.free_value = free_row}};
}

void hf_ui_model_done(struct hf_ui_model *model)
{
    hf_strmap_done(&model->nodes);
    hf_strmap_done(&model->labels);
    hf_strmap_done(&model->updates);
}

static int take_row(struct hf_ui_model *model, json_t *row)
{
    const char *kind = hf_json_str_or(row, "k", ""), *name = hf_json_str_or(row, "n", "");
    struct hf_strmap *map = strcmp(kind, "node") == 0     ? &model->nodes
                            : strcmp(kind, "labels") == 0 ? &model->labels
                                                          : &model->updates;

    if (hf_json_bool_or(row, "gone", false)) {
        (void)hf_strmap_remove(map, name);
        return 0;
    }
    int r = hf_strmap_put(map, name, json_incref(row));
    if (r < 0)
        json_decref(row);
    return r;
}

int hf_ui_model_take(struct hf_ui_model *model, const struct hf_ui_board *board)
{
    while (model->version < hf_ui_board_version(board)) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4 << 20);
        _cleanup_(hf_json_freep) json_t *changes = NULL;
        static const struct hf_json_limits limits = {.max_bytes = 4 << 20};
        int r = hf_ui_board_changes(board, model->version, &text);
        if (r == 0)
            r = hf_json_parse(hf_buf_view(&text), &limits, &changes, NULL);
        const json_t *rows = hf_json_at(changes, "rows");
        for (size_t i = 0; i < json_array_size(rows) && r == 0; i++)
            r = take_row(model, json_array_get(rows, i));
        if (r < 0)
            return -ENOMEM;
        model->version = (uint64_t)hf_json_int_or(changes, "version", 0);
    }
    return 0;
}

/* ---- what a row means -------------------------------------------------------------------------------------------- */

unsigned hf_ui_model_look(const json_t *node, int64_t now_unix_s)
{
    int64_t seen = hf_json_int_or(node, "seen", 0);
    bool silent =
        hf_json_bool_or(node, "silent", false) || (seen > 0 && now_unix_s > seen + hf_json_int_or(node, "quiet", 0));
    const char *look = hf_json_str_or(node, "look", "");

    if (silent && strcmp(look, "bad") != 0)
        return HF_UI_AWAY;
    for (unsigned i = HF_UI_GOOD; i <= HF_UI_BAD; i++)
        if (strcmp(look, hf_ui_look_name((enum hf_ui_look)i)) == 0)
            return i;
    return HF_UI_WAIT;
}

const json_t *hf_ui_model_update(const json_t *node)
{
    const json_t *updates = hf_json_at(node, "updates");
    const char *what = hf_json_str_or(node, "what", "");

    for (size_t i = 0; i < json_array_size(updates); i++)
        if (strcmp(hf_json_str_or(json_array_get(updates, i), "r", ""), what) == 0)
            return json_array_get(updates, i);
    return json_array_get(updates, 0);
}

static const json_t *labels_of(const struct hf_ui_model *model, const char *name)
{
    return json_object_get(hf_strmap_get(&model->labels, name), "labels");
}

const char *hf_ui_model_label(const struct hf_ui_model *model, const char *name, const char *key)
{
    const char *value = json_string_value(json_object_get(labels_of(model, name), key));

    return value != NULL ? value : "";
}

const char *hf_ui_model_site_key(const struct hf_ui_model *model)
{
    static const char *const keys[] = {"edge.codcompass.io/site", "site", "topology.kubernetes.io/zone",
                                       "topology.kubernetes.io/region"};

    for (size_t i = 0; i < HF_LEN(keys) && model->labels.n > 0; i++)
        if (hf_ui_model_label(model, model->labels.entries[0].key, keys[i])[0] != '\0')
            return keys[i];
    return NULL;
}

static bool has_word(const struct hf_ui_model *model, const char *name, const char *find)
{
    static const char *const of_node[] = {"reason", "what", "agent"}, *const of_update[] = {"r", "p", "w"};
    const json_t *node = hf_strmap_get(&model->nodes, name), *updates = hf_json_at(node, "updates");
    json_t *value;
    const char *key;

    if (strcasestr(name, find) != NULL)
        return true;
    for (size_t i = 0; i < HF_LEN(of_node); i++)
        if (strcasestr(hf_json_str_or(node, of_node[i], ""), find) != NULL)
            return true;
    for (size_t k = 0; k < json_array_size(updates); k++) {
        const json_t *one = json_array_get(updates, k);
        for (size_t i = 0; i < HF_LEN(of_update); i++)
            if (strcasestr(hf_json_str_or(one, of_update[i], ""), find) != NULL)
                return true;
        _cleanup_(hf_freep) char *runs = hf_asprintf("runs=%s", hf_json_str_or(one, "i", ""));
        if (runs != NULL && strcasestr(runs, find) != NULL)
            return true;
    }
    json_object_foreach(hf_json_mutable(labels_of(model, name)), key, value) {
        _cleanup_(hf_freep) char *pair = hf_asprintf("%s=%s", key, json_string_value(value));
        if (pair != NULL && strcasestr(pair, find) != NULL)
            return true;
    }
    return false;
}

bool hf_ui_model_matches(const struct hf_ui_model *model, const char *name, const char *find)
{
    struct hf_view rest = hf_view_of(find), word;

    while (hf_view_split(&rest, ' ', &word)) {
        _cleanup_(hf_freep) char *text = hf_asprintf("%.*s", (int)word.n, word.p);
        if (text == NULL || !has_word(model, name, text))
            return false;
    }
    return true;
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */

static void set(json_t *traits, const char *what, const char *of, const char *value)
{
    _cleanup_(hf_freep) char *key = hf_asprintf("%s%s%s", what, of[0] != '\0' ? " " : "", of);

    if (key != NULL && value[0] != '\0')
        (void)json_object_set_new(traits, key, json_string(value));
}

/* {"agent": "0.1.0", "runs edge-app": "1.4.2", "label tier": "shop", ...}; NULL: out of memory. */
static json_t *traits_of(const struct hf_ui_model *model, const char *name)
{
    const json_t *node = hf_strmap_get(&model->nodes, name), *updates = hf_json_at(node, "updates");
    json_t *traits = json_object(), *value;
    const char *key;

    set(traits, "agent", "", hf_json_str_or(node, "agent", ""));
    set(traits, "policy", "", hf_json_str_or(node, "policy", ""));
    for (size_t i = 0; i < json_array_size(updates); i++) {
        const json_t *one = json_array_get(updates, i);
        const char *release = hf_json_str_or(one, "r", "");
        set(traits, "runs", release, hf_json_str_or(one, "i", ""));
        set(traits, "wants", release, hf_json_str_or(one, "v", ""));
        set(traits, "phase", release, hf_json_str_or(one, "p", ""));
        set(traits, "reason", release, hf_json_str_or(one, "w", ""));
    }
    json_object_foreach(json_object_get(node, "conditions"), key, value) {
        set(traits, "condition", key, json_string_value(value));
    }
    json_object_foreach(hf_json_mutable(labels_of(model, name)), key, value) {
        set(traits, "label", key, json_string_value(value));
    }
    return traits;
}

static bool share_a_release(const json_t *a, const json_t *b)
{
    const json_t *mine = hf_json_at(a, "updates"), *theirs = hf_json_at(b, "updates");

    for (size_t i = 0; i < json_array_size(mine); i++)
        for (size_t k = 0; k < json_array_size(theirs); k++)
            if (strcmp(hf_json_str_or(json_array_get(mine, i), "r", ""),
                       hf_json_str_or(json_array_get(theirs, k), "r", "")) == 0)
                return true;
    return false;
}

/* counts: {trait: {value: how many}} */
static void count(json_t *counts, const json_t *traits)
{
    json_t *value;
    const char *key;

    json_object_foreach(hf_json_mutable(traits), key, value) {
        json_t *of = json_object_get(counts, key);
        const char *text = json_string_value(value);
        if (of == NULL && json_object_set_new(counts, key, of = json_object()) < 0)
            continue;
        (void)json_object_set_new(of, text, json_integer(json_integer_value(json_object_get(of, text)) + 1));
    }
}

/* The commonest value of a trait among n nodes: "" if most lack it. */
static const char *commonest(const json_t *values, json_int_t n, json_int_t *ret_n)
{
    const char *key, *most = "";
    json_t *value;
    json_int_t without = n;

    *ret_n = 0;
    json_object_foreach(hf_json_mutable(values), key, value) {
        without -= json_integer_value(value);
        if (json_integer_value(value) > *ret_n) {
            *ret_n = json_integer_value(value);
            most = key;
        }
    }
    if (without <= *ret_n)
        return most;
    *ret_n = without;
    return "";
}

static void tell_apart(json_t *apart, const char *what, const json_t *mine, const json_t *counts, json_int_t n)
{
    json_int_t many;
    const char *most = commonest(json_object_get(counts, what), n, &many);
    const char *own = json_string_value(json_object_get(mine, what));

    own = own != NULL ? own : "";
    if (strcmp(own, most) == 0 || 2 * many <= n || (strncmp(what, "label ", 6) == 0 && many < n))
        return;
    (void)json_array_append_new(apart,
                                json_pack("{s:s, s:s, s:s, s:I}", "what", what, "mine", own, "most", most, "n", many));
}

json_t *hf_ui_model_compare(const struct hf_ui_model *model, const char *name, const char *key)
{
    const json_t *node = hf_strmap_get(&model->nodes, name);
    const char *site = key[0] != '\0' ? hf_ui_model_label(model, name, key) : "", *what;
    _cleanup_(hf_json_freep) json_t *mine = node != NULL ? traits_of(model, name) : NULL;
    _cleanup_(hf_json_freep) json_t *counts = json_object();
    _cleanup_(hf_freep) char *by = site[0] != '\0' ? hf_asprintf("%s=%s", key, site) : strdup("");
    json_t *apart = json_array(), *value;
    json_int_t n = 0;

    for (size_t i = 0; i < model->nodes.n && mine != NULL; i++) {
        const char *other = model->nodes.entries[i].key;
        if (strcmp(other, name) == 0 || !share_a_release(node, model->nodes.entries[i].value) ||
            (site[0] != '\0' && strcmp(hf_ui_model_label(model, other, key), site) != 0))
            continue;
        _cleanup_(hf_json_freep) json_t *theirs = traits_of(model, other);
        count(counts, theirs);
        n++;
    }
    json_object_foreach(mine, what, value) {
        tell_apart(apart, what, mine, counts, n);
    }
    json_object_foreach(counts, what, value) {
        if (json_object_get(mine, what) == NULL)
            tell_apart(apart, what, mine, counts, n);
    }
    if (mine == NULL || by == NULL) {
        json_decref(apart);
        return NULL;
    }
    return json_pack("{s:I, s:s, s:o}", "n", n, "by", by, "apart", apart);
}
