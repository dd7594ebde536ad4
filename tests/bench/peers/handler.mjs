// Makes the calls that it is given as its event, with the SDK for JavaScript.
// The loop is the least that Lambda's Runtime API needs, which favours Node.
import http from "node:http";
import { DynamoDBClient, BatchGetItemCommand, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import {
  RAMClient, AssociateResourceShareCommand, CreateResourceShareCommand, GetResourceShareAssociationsCommand,
  GetResourceSharesCommand, ListPermissionAssociationsCommand, ListResourceSharePermissionsCommand,
} from "@aws-sdk/client-ram";
import { SageMakerClient, ListPipelineExecutionsCommand, ListPipelinesCommand } from "@aws-sdk/client-sagemaker";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { SSMClient, GetParameterCommand, GetParameterHistoryCommand } from "@aws-sdk/client-ssm";
import { STSClient, AssumeRoleCommand } from "@aws-sdk/client-sts";

const services = {
  dynamodb: [DynamoDBClient, { BatchGetItemCommand, GetItemCommand, PutItemCommand, QueryCommand }],
  events: [EventBridgeClient, { PutEventsCommand }],
  ram: [RAMClient, {
    AssociateResourceShareCommand, CreateResourceShareCommand, GetResourceShareAssociationsCommand,
    GetResourceSharesCommand, ListPermissionAssociationsCommand, ListResourceSharePermissionsCommand,
  }],
  sagemaker: [SageMakerClient, { ListPipelineExecutionsCommand, ListPipelinesCommand }],
  sqs: [SQSClient, { SendMessageCommand }],
  ssm: [SSMClient, { GetParameterCommand, GetParameterHistoryCommand }],
  sts: [STSClient, { AssumeRoleCommand }],
};

const environment = {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
};
const clients = new Map();
const sessions = new Map();

function client(service, role) {
  const key = `${service} ${role}`;
  if (!clients.has(key)) {
    const [Client] = services[service];
    // By hand, so that no chain of providers is asked.
    clients.set(key, new Client({
      region: process.env.AWS_REGION,
      endpoint: process.env.AWS_ENDPOINT_URL,
      credentials: sessions.get(role) ?? environment,
    }));
  }
  return clients.get(key);
}

async function make({ service, operation, input, role }) {
  const Command = services[service][1][`${operation}Command`];
  if (!Command) throw new Error(`the peer does not know ${operation}`);
  const answer = await client(service, role).send(new Command(input));
  if (operation === "AssumeRole") {
    const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials;
    sessions.set(input.RoleArn, {
      accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken,
    });
  }
}

const agent = new http.Agent({ keepAlive: true });
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, agent }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function serve() {
  for (;;) {
    const given = await ask("GET", "/2018-06-01/runtime/invocation/next");
    const path = `/2018-06-01/runtime/invocation/${given.headers["lambda-runtime-aws-request-id"]}`;
    let outcome = "response";
    let answer = {};
    try {
      for (const group of JSON.parse(given.body).groups) await Promise.all(group.map(make));
    } catch (error) {
      outcome = "error";
      answer = { errorType: error.name, errorMessage: error.message };
    }
    await ask("POST", `${path}/${outcome}`, JSON.stringify(answer));
  }
}

serve().catch(() => process.exit(0));
