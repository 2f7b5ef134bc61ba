"""What answers look like, for the API's description of itself.

Documents are made by ``reports`` and sent as they are; these models say what stands in them.
A test reads a document of every route with its model, which knows every field by name.
"""
