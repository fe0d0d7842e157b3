// SPDX-License-Identifier: Apache-2.0
// A node's profile: a security group without ingress, and a launch template whose user-data starts K3s' agent with the
// node's labels, limits and trusted keys. The user-data is that of the role in ../cloud-init, with this node's values.

import * as fs from "node:fs";
import * as path from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as yaml from "js-yaml";

const CONFIG = "/etc/rancher/k3s/config.yaml";
const TOKEN = "/etc/rancher/k3s/token";
const TRUST = "/etc/holdfast/trust.d/";
const PREFIX = "edge.codcompass.io/";

export interface UserDataArgs {
    /** Role of ../k3s/nodes.yaml, which has its labels and the kubelet's limits. */
    role: string;
    /** Processor, as Go names it; becomes the label edge.codcompass.io/arch, as the agent sets it. */
    arch: "amd64" | "arm64";
    /** URL of the K3s server. */
    server: string;
    /** Where the node fetches K3s, and its SHA-256; a program with another hash never starts. */
    k3s: { url: string; sha256: string };
    /** Public keys (PEM) whose releases and policies the node trusts, by name. */
    trustedKeys: Record<string, string>;
    /** More labels, or other values than the role's. */
    labels?: Record<string, string>;
    /** More arguments of the kubelet, or other values than the role's. */
    kubeletArgs?: Record<string, string>;
}

export interface HoldfastNodeArgs extends UserDataArgs {
    vpcId: pulumi.Input<string>;
    imageId: pulumi.Input<string>;
    instanceType: pulumi.Input<string>;
    /** K3s' join token. It is a secret in the state, and in the launch template, which whoever may describe it can read. */
    token: pulumi.Input<string>;
    /** Where the node may connect to, all of it over TCP, and DNS and NTP beside it; everywhere if absent. */
    egressCidrs?: string[];
}

interface CloudInit {
    write_files: { path: string; permissions: string; content: string }[];
    runcmd: string[][];
}

function check(condition: boolean, message: string): void {
    if (!condition) throw new Error(`holdfast node: ${message}`);
}

/** key=value lists of K3s: `more` replaces what the role has under the same key. */
function pairs(list: string[], more: Record<string, string>): string[] {
    const all = new Map(list.map((pair) => [pair.split("=", 1)[0], pair] as const));
    for (const [key, value] of Object.entries(more)) all.set(key, `${key}=${value}`);
    return [...all.values()];
}

/** cloud-init's user-data of one node. Throws an Error that names the argument that is wrong. */
export function userData(args: UserDataArgs, token: string, deploy = path.join(__dirname, "..")): string {
    const file = path.join(deploy, "cloud-init", `user-data-${args.role}.yaml`);

    check(/^[a-z0-9-]+$/.test(args.role) && fs.existsSync(file), `role: deploy/k3s/nodes.yaml has no ${JSON.stringify(args.role)}`);
    check(args.server.startsWith("https://"), "server: an https:// URL");
    check(/^\S+$/.test(token), "token: one word");
    check(/^https:\/\/[^'\s]+$/.test(args.k3s.url), "k3s.url: an https:// URL");
    check(/^[0-9a-f]{64}$/.test(args.k3s.sha256), "k3s.sha256: 64 lower-case hexadecimal digits");
    check(Object.keys(args.trustedKeys).length > 0, "trustedKeys: at least one key");
    for (const [name, key] of Object.entries(args.trustedKeys)) {
        check(/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name), `trustedKeys: ${JSON.stringify(name)} is no file name`);
        check(key.startsWith("-----BEGIN PUBLIC KEY-----\n"), `trustedKeys.${name}: a PEM that begins with BEGIN PUBLIC KEY`);
    }

    const base = yaml.load(fs.readFileSync(file, "utf8")) as CloudInit;
    const content = (at: string) => base.write_files.find((one) => one.path === at)?.content ?? "";
    const config = yaml.load(content(CONFIG)) as Record<string, string[]>;
    const contents: Record<string, string> = {
        [CONFIG]: yaml.dump({
            ...config,
            server: args.server,
            "node-label": pairs(config["node-label"], { [`${PREFIX}arch`]: args.arch, ...args.labels }),
            "kubelet-arg": pairs(config["kubelet-arg"], args.kubeletArgs ?? {}),
        }),
        [TOKEN]: `${token}\n`,
    };
    const [fetch, start] = base.runcmd;

    return "#cloud-config\n" + yaml.dump({
        ...base,
        write_files: [
            // The role's keys are examples: only the caller's are trusted.
            ...base.write_files.filter((one) => !one.path.startsWith(TRUST))
                .map((one) => ({ ...one, content: contents[one.path] ?? one.content })),
            ...Object.entries(args.trustedKeys)
                .map(([name, key]) => ({ path: `${TRUST}${name}.pem`, permissions: "0644", content: key })),
        ],
        runcmd: [
            [...fetch.slice(0, -1), args.k3s.url],
            start.map((word) => word.replace(/'[0-9a-f]{64}  /, `'${args.k3s.sha256}  `)),
        ],
    }, { lineWidth: -1 });
}

export class HoldfastNode extends pulumi.ComponentResource {
    public readonly securityGroup: aws.ec2.SecurityGroup;
    public readonly launchTemplate: aws.ec2.LaunchTemplate;
    /** Secret: it has the token. */
    public readonly userData: pulumi.Output<string>;

    constructor(name: string, args: HoldfastNodeArgs, opts?: pulumi.ComponentResourceOptions) {
        super("holdfast:edge:Node", name, {}, opts);
        const parent = { parent: this };
        const cidrBlocks = args.egressCidrs ?? ["0.0.0.0/0"];

        this.userData = pulumi.secret(pulumi.output(args.token).apply((token) => userData(args, token)));
        this.securityGroup = new aws.ec2.SecurityGroup(name, {
            vpcId: args.vpcId,
            description: "holdfast node: connects, is never connected to",
            ingress: [],
            egress: [
                { protocol: "tcp", fromPort: 0, toPort: 65535, cidrBlocks, description: "API server, artifacts, images, sinks" },
                { protocol: "udp", fromPort: 53, toPort: 53, cidrBlocks, description: "DNS" },
                { protocol: "udp", fromPort: 123, toPort: 123, cidrBlocks, description: "NTP" },
            ],
        }, parent);
        this.launchTemplate = new aws.ec2.LaunchTemplate(name, {
            imageId: args.imageId,
            instanceType: args.instanceType,
            vpcSecurityGroupIds: [this.securityGroup.id],
            // A pod must not read the user-data, which has the token: one hop ends at the host.
            metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
            userData: this.userData.apply((text) => Buffer.from(text).toString("base64")),
        }, parent);
        this.registerOutputs({
            securityGroupId: this.securityGroup.id,
            launchTemplateId: this.launchTemplate.id,
            userData: this.userData,
        });
    }
}
