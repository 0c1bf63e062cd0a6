import { RegistryClient, registryLoginFrom } from "./registry/client";

/** Any image of the stack: every stack has it, and nothing is left under its name. */
const SAMPLE = "base";

/**
 * The check before images are built and pushed (`components/registryAccess.ts`): that the registry will take them, so that
 * what is wrong with it is one error, before anything is changed.
 *
 * Environment: REGISTRY_ADDRESS, REGISTRY_REPOSITORY, REGISTRY_USERNAME, REGISTRY_PASSWORD.
 *
 * @throws UserError that names registry and repository, what is wrong, and what to do
 */
export async function main(): Promise<number> {
  const login = registryLoginFrom(process.env);
  await new RegistryClient(login).checkPush(SAMPLE);
  console.log(`registry ${login.address}, repository ${login.repository}: ${login.username} may push`);
  return 0;
}
