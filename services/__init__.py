"""The services of the e-commerce platform. They share `services.platform` and generated code, never each other."""
