// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import test from "node:test";
import * as pulumi from "@pulumi/pulumi";
import * as yaml from "js-yaml";

interface Made {
    type: string;
    inputs: Record<string, any>;
}
const made: Made[] = [];

pulumi.runtime.setMocks({
    newResource: (args) => {
        made.push({ type: args.type, inputs: args.inputs });
        return { id: `${args.name}-id`, state: args.inputs };
    },
    call: (args) => args.inputs,
}, "holdfast", "test");

import { HoldfastNode, userData, UserDataArgs } from "./node";

const deploy = path.join(__dirname, "..");
const example = (file: string) => yaml.load(fs.readFileSync(path.join(deploy, file), "utf8")) as any;
const KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAPqfS+OHXDWKHzemy+V8Szffqt8ivr8IWinqfwG3Ym7M=\n-----END PUBLIC KEY-----\n";
const edge: UserDataArgs = {
    role: "edge",
    arch: "arm64",
    server: "https://k3s.example.com:6443",
    k3s: { url: "https://releases.example.com/k3s-amd64", sha256: "0".repeat(64) },
    trustedKeys: { "release-2026": KEY },
};
const file = (text: string, at: string) => (yaml.load(text) as any).write_files.find((one: any) => one.path === at);
const config = (text: string) => yaml.load(file(text, "/etc/rancher/k3s/config.yaml").content) as any;
const get = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply((value) => resolve(value)));

for (const role of ["edge", "agent"]) {
    test(`with the values of the description it is the user-data of ${role}, and the label arch`, () => {
        const text = userData({ ...edge, role }, "REPLACE");
        const ours = yaml.load(text) as any, theirs = example(`cloud-init/user-data-${role}.yaml`);
        const k3s = example(`k3s/k3s-${role}-config.yaml`);

        assert.ok(text.startsWith("#cloud-config\n"));
        assert.deepEqual(config(text), { ...k3s, "node-label": [...k3s["node-label"], "edge.codcompass.io/arch=arm64"] });
        for (const one of [...ours.write_files, ...theirs.write_files])
            if (one.path === "/etc/rancher/k3s/config.yaml") one.content = "";
        assert.deepEqual(ours, theirs);
    });
}

test("values of the node replace the role's", () => {
    const text = userData({
        ...edge,
        labels: { site: "store-17", "edge.codcompass.io/role": "till" },
        kubeletArgs: { "max-pods": "20", "feature-gates": "A=true" },
        k3s: { url: "https://mirror.example.com/k3s-arm64", sha256: "a1".repeat(32) },
        trustedKeys: { ours: KEY },
    }, "K10abc::node:secret");
    const made = yaml.load(text) as any;

    assert.deepEqual(config(text)["node-label"],
        ["edge.codcompass.io/role=till", "edge.codcompass.io/arch=arm64", "site=store-17"]);
    assert.deepEqual(config(text)["kubelet-arg"],
        ["max-pods=20", "image-gc-high-threshold=90", "image-gc-low-threshold=85", "feature-gates=A=true"]);
    assert.equal(file(text, "/etc/rancher/k3s/token").content, "K10abc::node:secret\n");
    assert.equal(file(text, "/etc/rancher/k3s/token").permissions, "0600");
    assert.deepEqual(made.write_files.map((one: any) => one.path).filter((at: string) => at.startsWith("/etc/holdfast/")),
        ["/etc/holdfast/trust.d/ours.pem"]);
    assert.equal(made.runcmd[0].at(-1), "https://mirror.example.com/k3s-arm64");
    assert.ok(made.runcmd[1][2].startsWith(`echo '${"a1".repeat(32)}  /usr/local/bin/k3s.new' | sha256sum -c && `));
});

const wrong: [string, Partial<UserDataArgs>, RegExp][] = [
    ["an unknown role", { role: "compute" }, /role/],
    ["a role that is a path", { role: "../../x" }, /role/],
    ["an unsafe server", { server: "http://k3s.example.com" }, /server/],
    ["a hash that is shell", { k3s: { url: edge.k3s.url, sha256: "'; reboot; '" } }, /sha256/],
    ["an address that is shell", { k3s: { url: "https://a/'; reboot; '", sha256: edge.k3s.sha256 } }, /url/],
    ["no key", { trustedKeys: {} }, /at least one/],
    ["a private key", { trustedKeys: { oops: "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n" } }, /oops/],
    ["a key whose name is a path", { trustedKeys: { "../x": KEY } }, /file name/],
];
for (const [what, change, message] of wrong)
    test(`${what} is refused by name`, () => assert.throws(() => userData({ ...edge, ...change }, "REPLACE"), message));
test("a token of two lines is refused by name", () => assert.throws(() => userData(edge, "a\nb"), /token/));

test("a node has no ingress, and its pods cannot read its user-data", async () => {
    const node = new HoldfastNode("store-17", {
        ...edge, vpcId: "vpc-1", imageId: "ami-1", instanceType: "t4g.small", token: pulumi.secret("K10abc"),
    });
    const text = await get(node.userData);
    const template = await get(pulumi.all([node.launchTemplate.userData, node.launchTemplate.vpcSecurityGroupIds]));
    const group = made.find((one) => one.type === "aws:ec2/securityGroup:SecurityGroup")!.inputs;
    const options = made.find((one) => one.type === "aws:ec2/launchTemplate:LaunchTemplate")!.inputs.metadataOptions;

    assert.deepEqual(group.ingress, []);
    assert.deepEqual(group.egress.map((rule: any) => [rule.protocol, rule.fromPort, rule.toPort]),
        [["tcp", 0, 65535], ["udp", 53, 53], ["udp", 123, 123]]);
    assert.deepEqual(options, { httpTokens: "required", httpPutResponseHopLimit: 1 });
    assert.equal(Buffer.from(template[0]!, "base64").toString(), text);
    assert.deepEqual(template[1], ["store-17-id"]);
    assert.equal(file(text, "/etc/rancher/k3s/token").content, "K10abc\n");
    assert.ok(await pulumi.isSecret(node.userData), "the user-data is a secret of the state");
});
